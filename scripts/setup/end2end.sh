#!/usr/bin/env bash
# The packages of the browser tests, exactly as their lock file says.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/hash.sh
. "$here/lib/hash.sh"

cd "$TIDEWATCH_ROOT/end2end"
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
npm ci --no-audit --no-fund
hash_of package.json package-lock.json >node_modules/.installed
