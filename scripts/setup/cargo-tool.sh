#!/usr/bin/env bash
# cargo-tool.sh CRATE VERSION [FLAG...]: installs a tool into the project's own folder.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
crate="$1" version="$2"
shift 2

# A ready-made program, where the user has the tool that fetches such.
if have cargo-binstall && have timeout &&
  timeout 120 cargo binstall --no-confirm --disable-strategies compile --root "$TIDEWATCH_TOOLS" "$crate@$version"; then
  exit 0
fi

# Speed of compiling counts, not that of the tool: little optimization, no debug information.
export CARGO_TARGET_DIR="$TIDEWATCH_CACHE/tools-target"
export CARGO_PROFILE_DEV_DEBUG=0 CARGO_PROFILE_DEV_STRIP=symbols
export CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_DEBUG=0
unset RUSTFLAGS CARGO_BUILD_TARGET

install() { cargo install "$crate" --version "$version" --root "$TIDEWATCH_TOOLS" --force "$@"; }

# The crate's own lock is the tested combination; a registry that does not serve all of it yet gets its own choice.
install --locked "$@" || install "$@"
rm -rf "$CARGO_TARGET_DIR"
