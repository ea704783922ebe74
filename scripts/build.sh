#!/usr/bin/env bash
# build.sh [DIST]: builds server and site into DIST (.data/dist), unless they are built from these very sources already.
# TIDEWATCH_RELEASE=1 builds for production.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/hash.sh
. "$here/lib/hash.sh"
# shellcheck source=scripts/lib/lock.sh
. "$here/lib/lock.sh"
# shellcheck source=scripts/lib/long.sh
. "$here/lib/long.sh"
# shellcheck source=scripts/lib/dist.sh
. "$here/lib/dist.sh"
stop_long_when_interrupted
need_toolchain

dist="${1:-$TIDEWATCH_DATA/dist}"
flags=() profile=debug
if [ -n "${TIDEWATCH_RELEASE:-}" ]; then
  # Compressed as far as it goes, once: the server sends these as they are.
  flags=(--release --precompress) profile=release
fi

is_built() { [ -x "$dist/tidewatch" ] && [ "$(cat "$dist/built-from" 2>/dev/null)" = "$fingerprint" ]; }

fingerprint="$(sources_fingerprint "$profile")"
if is_built; then
  remark "Build: nothing has changed."
  exit 0
fi

# One build at a time: cargo-leptos reads the results after cargo has let go of its own lock.
lock "$CARGO_TARGET_DIR/tidewatch.lock" "Another build is at work in $CARGO_TARGET_DIR; waiting for it."
cd "$TIDEWATCH_ROOT"
LONG_TAIL=80 run_long build "Building server and site — 5 to 10 min the first time, seconds later" \
  cargo leptos build --split ${flags[@]+"${flags[@]}"}

rm -rf "$dist.new"
mkdir -p "$dist.new"
cp "$CARGO_TARGET_DIR/$profile/tidewatch" "$dist.new/tidewatch"
cp -R "$TIDEWATCH_ROOT/target/site" "$dist.new/site"
if [ -f "$CARGO_TARGET_DIR/$profile/hash.txt" ]; then
  cp "$CARGO_TARGET_DIR/$profile/hash.txt" "$dist.new/hash.txt"
fi
# Sources that changed meanwhile are built the next time.
if [ "$(sources_fingerprint "$profile")" = "$fingerprint" ]; then
  echo "$fingerprint" >"$dist.new/built-from"
fi
rm -rf "$dist"
mv "$dist.new" "$dist"
