#!/usr/bin/env bash
# Rust by way of rustup: the wasm32 target for the active toolchain, or a toolchain beside the user's own.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"

release="$(version_in "$(rustc --version 2>/dev/null)")" || release=0
if at_least "$release" "$RUST_MINIMUM"; then
  rustup target add "$WASM_TARGET"
else
  rustup toolchain install "$RUST_RUSTUP" --no-self-update --profile minimal \
    --component clippy --component rustfmt --target "$WASM_TARGET"
fi
