# The versions of the tools, in one place. Sourced by env.sh.
# shellcheck shell=bash disable=SC2034 # read by whoever sources this

RUST_MINIMUM=1.96          # cargo-leptos asks for it
RUST_RUSTUP=1.96.0         # what setup.sh installs through rustup when the active toolchain is older
CARGO_LEPTOS_VERSION=0.3.11
NODE_MINIMUM=20            # Playwright asks for it
NODE_NPM=22                # from npm, where the distribution's own is older (Debian 12 has 18)
BINARYEN_NPM=132            # wasm-opt, for production alone
POSTGRES_MINIMUM=15
SCHEMATHESIS_VERSION=4.32.5 # from PyPI, for make fuzz-api alone

# The command-line tool and the library must be the very same version.
wasm_bindgen_version() {
  sed -n 's/^wasm-bindgen *= *"=\([0-9.]*\)".*/\1/p; s/^wasm-bindgen *=.*version *= *"=\([0-9.]*\)".*/\1/p' \
    "$TIDEWATCH_ROOT/Cargo.toml" | head -n 1
}
