#!/usr/bin/env bash
# Node from npm, where the system's own is too old for the browser tests.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"

mkdir -p "$TIDEWATCH_TOOLS/node" "$TIDEWATCH_TOOLS/bin"
npm install --prefix "$TIDEWATCH_TOOLS/node" --no-save --no-audit --no-fund "node@$NODE_NPM"
ln -sf "$TIDEWATCH_TOOLS/node/node_modules/node/bin/node" "$TIDEWATCH_TOOLS/bin/node"
"$TIDEWATCH_TOOLS/bin/node" --version
