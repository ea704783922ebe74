#!/usr/bin/env bash
# A Chromium for the browser tests, from Playwright.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"

cd "$TIDEWATCH_ROOT/end2end"
npx --no-install playwright install chromium
