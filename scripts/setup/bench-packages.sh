#!/usr/bin/env bash
# bench-packages.sh PACKAGE...: what the benchmarks' peers need. Nothing is started: the benchmark runs nginx and Redis
# itself, on ports and in folders of its own.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/packages.sh
. "$here/lib/packages.sh"

policy=/usr/sbin/policy-rc.d

# Debian asks this file before it starts a service. One that is there already stays as it is.
forbid_services() {
  [ ! -e "$policy" ] || return 0
  trap 'as_root rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}

"$here/setup/apt-lists.sh"
forbid_services
"$here/setup/apt-install.sh" "$@"
