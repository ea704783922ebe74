#!/usr/bin/env bash
# build-program.sh PACKAGE DIST: builds a program with modules of one's own and puts it beside the site in DIST.
# TIDEWATCH_RELEASE=1 builds for production.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
need_toolchain

package="$1" dist="$2"
flags=() profile=debug
if [ -n "${TIDEWATCH_RELEASE:-}" ]; then
  flags=(--release) profile=release
fi
cd "$TIDEWATCH_ROOT"
cargo build --package "$package" --bin "$package" ${flags[@]+"${flags[@]}"}
# Beside hash.txt, which it looks for there.
cp "$CARGO_TARGET_DIR/$profile/$package" "$dist/$package.new"
mv "$dist/$package.new" "$dist/$package"
