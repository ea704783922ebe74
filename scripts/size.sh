#!/usr/bin/env bash
# size.sh (make size): what a browser loads first, and each part that it loads later, built for production: bytes as they
# are, after gzip and after brotli.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/lock.sh
. "$here/lib/lock.sh"
# shellcheck source=scripts/lib/long.sh
. "$here/lib/long.sh"
stop_long_when_interrupted

export TIDEWATCH_RELEASE=1
"$here/setup.sh" test
need_toolchain
site="$TIDEWATCH_DATA/size/site"
lock "$CARGO_TARGET_DIR/tidewatch.lock" "Another build is at work in $CARGO_TARGET_DIR; waiting for it."
cd "$TIDEWATCH_ROOT"
export LEPTOS_SITE_ROOT="$site"
LONG_TAIL=80 run_long size "Building the site for production — some minutes" \
  cargo leptos build --split --release --frontend-only
node "$here/size.mjs" "$site/pkg"
