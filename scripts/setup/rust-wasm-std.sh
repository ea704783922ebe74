#!/usr/bin/env bash
# The distribution's Rust brings no standard library for wasm32: it is built once, from the distribution's source.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/packages.sh
. "$here/lib/packages.sh"

host="$(/usr/bin/rustc -vV | sed -n 's/^host: //p')"
release="$(/usr/bin/rustc -vV | sed -n 's/^release: //p')"
rustlib="$(/usr/bin/rustc --print sysroot)/lib/rustlib"

# rustc looks for the linker of wasm32 under this name.
lld="$(find /usr/bin -name 'lld-[0-9]*' -o -name lld | sort -V | tail -n 1)"
[ -n "$lld" ] || die "lld is missing: $(install_command apt-get lld)"
as_root mkdir -p "$rustlib/$host/bin"
as_root ln -sf "$lld" "$rustlib/$host/bin/rust-lld"

if ! has_wasm_std "${rustlib%/lib/rustlib}" "$release"; then
  work="$TIDEWATCH_CACHE/wasm-std"
  rm -rf "$work"
  mkdir -p "$work/src"
  : >"$work/src/lib.rs"
  printf '[package]\nname = "wasm-std"\nversion = "0.0.0"\nedition = "2021"\n[workspace]\n' >"$work/Cargo.toml"
  cd "$work"
  RUSTUP_TOOLCHAIN='' RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$work/target" \
    /usr/bin/cargo build --release -Zbuild-std=std,panic_abort --target "$WASM_TARGET"
  built="$work/target/$WASM_TARGET/release/deps"
  rm -f "$built"/libwasm_std-*
  as_root rm -rf "$rustlib/$WASM_TARGET"
  as_root mkdir -p "$rustlib/$WASM_TARGET/lib"
  as_root cp "$built"/*.rlib "$rustlib/$WASM_TARGET/lib/"
  cd /
  rm -rf "$work"
fi

# A first program, so that a library that does not fit is found here and not in the middle of a build.
trial="$(mktemp -d)"
trap 'rm -rf "$trial"' EXIT
echo 'fn main() { println!("{}", 1) }' >"$trial/trial.rs"
/usr/bin/rustc --target "$WASM_TARGET" -o "$trial/trial.wasm" "$trial/trial.rs"
echo "$release" | as_root tee "$rustlib/$WASM_TARGET/built-by" >/dev/null
