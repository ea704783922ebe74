# Which Rust builds the project: the first of
#   1. the active toolchain, when it is new enough and has the wasm32 target;
#   2. the toolchain that setup.sh installed through rustup;
#   3. the distribution's Rust under /usr, called "debian" where rustup is present.
# shellcheck shell=bash

WASM_TARGET=wasm32-unknown-unknown

# suits COMMAND...: is this rustc new enough, and does it know the wasm32 target?
suits() {
  local release sysroot
  release="$(cd / && RUSTUP_AUTO_INSTALL=0 "$@" --version 2>/dev/null)" || return 1
  release="$(version_in "$release")" && at_least "$release" "$RUST_MINIMUM" || return 1
  sysroot="$(cd / && RUSTUP_AUTO_INSTALL=0 "$@" --print sysroot 2>/dev/null)" || return 1
  has_wasm_std "$sysroot" "$release"
}

# A standard library that was built by an older compiler is of no use: the stamp tells.
has_wasm_std() {
  local folder="$1/lib/rustlib/$WASM_TARGET" library
  for library in "$folder"/lib/libstd-*.rlib; do
    [ -e "$library" ] || return 1
  done
  [ ! -e "$folder/built-by" ] || [ "$(cat "$folder/built-by")" = "$2" ]
}

rustup_toolchain_folder() {
  local folder
  for folder in "${RUSTUP_HOME:-$HOME/.rustup}/toolchains/$1" "${RUSTUP_HOME:-$HOME/.rustup}/toolchains/$1"-*; do
    if [ -x "$folder/bin/rustc" ]; then
      printf '%s\n' "$folder"
      return 0
    fi
  done
  return 1
}

choose_toolchain() {
  local folder
  if have rustc && suits rustc; then
    return 0
  fi
  if have rustup && folder="$(rustup_toolchain_folder "$RUST_RUSTUP")" && suits "$folder/bin/rustc"; then
    export RUSTUP_TOOLCHAIN="$RUST_RUSTUP"
    return 0
  fi
  if [ -x /usr/bin/rustc ] && [ -x /usr/bin/cargo ] && suits /usr/bin/rustc; then
    if have rustup; then
      rustup_toolchain_folder debian >/dev/null || return 1 # setup.sh links it
      export RUSTUP_TOOLCHAIN=debian
    else
      export PATH="/usr/bin:$PATH"
    fi
    return 0
  fi
  return 1
}

need_toolchain() {
  choose_toolchain ||
    die "Rust $RUST_MINIMUM or newer with the target $WASM_TARGET is missing; make setup installs it."
  claim_target
}

# All clones share one target directory, and Cargo tells sources by their paths inside the clone and by their times: it
# would take what another clone built for this clone's, wherever this one's files are the older. So whoever comes after
# another clone compiles the project's own crates anew; the dependencies, which take the time, are the same for all.
claim_target() {
  local owner="$CARGO_TARGET_DIR/built-by"
  mkdir -p "$CARGO_TARGET_DIR"
  if [ "$(cat "$owner" 2>/dev/null)" != "$TIDEWATCH_ROOT" ]; then
    find "$CARGO_TARGET_DIR" -maxdepth 5 -path '*/.fingerprint/tidewatch-*' -prune -exec rm -rf {} +
    printf '%s\n' "$TIDEWATCH_ROOT" >"$owner"
  fi
}
