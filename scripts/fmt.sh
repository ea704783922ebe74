#!/usr/bin/env bash
# fmt.sh (make fmt): formats the Rust code.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"

"$here/setup.sh" check
need_toolchain
cd "$TIDEWATCH_ROOT"
cargo fmt --all
