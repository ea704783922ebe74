#!/usr/bin/env bash
# wasm-opt from npm: distributions have it too old for what today's compilers write.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"

mkdir -p "$TIDEWATCH_TOOLS/binaryen" "$TIDEWATCH_TOOLS/bin"
npm install --prefix "$TIDEWATCH_TOOLS/binaryen" --no-save --no-audit --no-fund "binaryen@$BINARYEN_NPM"
ln -sf "$TIDEWATCH_TOOLS/binaryen/node_modules/.bin/wasm-opt" "$TIDEWATCH_TOOLS/bin/wasm-opt"
"$TIDEWATCH_TOOLS/bin/wasm-opt" --version
