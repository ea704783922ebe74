#!/usr/bin/env bash
# new-module.sh NAME (make new-module NAME=parcel): writes examples/NAMEs, a program with a module of one's own.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/long.sh
. "$here/lib/long.sh"
# shellcheck source=scripts/lib/hash.sh
. "$here/lib/hash.sh"
stop_long_when_interrupted

[ -n "${1:-}" ] || die "Say what one of its records is: make new-module NAME=parcel"
cd "$TIDEWATCH_ROOT"
# What make run has built does; without it, it is built now, and make run has the less to do.
if [ ! -x "$TIDEWATCH_DATA/dist/tidewatch" ]; then
  run_script "$here/setup.sh" run
  need_toolchain
  run_script "$here/build.sh" "$TIDEWATCH_DATA/dist"
fi
"$TIDEWATCH_DATA/dist/tidewatch" new module "$1"
