#!/usr/bin/env bash
# Brings apt's package lists up to date. A broken third-party source does not stop the rest.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/packages.sh
. "$here/lib/packages.sh"

as_root env DEBIAN_FRONTEND=noninteractive apt-get update \
  -o DPkg::Lock::Timeout=120 -o Acquire::Retries=2 -o Acquire::http::Timeout=30 ||
  echo "apt-get update failed for some source; going on with the lists that are there"
