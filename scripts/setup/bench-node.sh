#!/usr/bin/env bash
# bench-node.sh FOLDER: packages of one of the benchmarks' peers on Node, exactly as its lock file says, and its build.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/hash.sh
. "$here/lib/hash.sh"

cd "$1"
npm ci --no-audit --no-fund
npm run --if-present build
hash_of package.json package-lock.json tsconfig.json src/*.ts >node_modules/.installed
