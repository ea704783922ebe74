#!/usr/bin/env bash
# setup.sh [run|test|rust|check]: finds what the project needs and installs what is missing.
#   run    what `make run` needs (the default)
#   test   that, and Node and a browser for the browser tests
#   rust   what the Rust tests alone need
#   check  what `make check` needs
# May be run again at any time; with everything in place it takes less than a second.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/packages.sh
. "$here/lib/packages.sh"
# shellcheck source=scripts/lib/find.sh
. "$here/lib/find.sh"
# shellcheck source=scripts/lib/hash.sh
. "$here/lib/hash.sh"
# shellcheck source=scripts/lib/long.sh
. "$here/lib/long.sh"
# shellcheck source=scripts/lib/lock.sh
. "$here/lib/lock.sh"
stop_long_when_interrupted

mode="${1:-run}"
wasm_bindgen="$(wasm_bindgen_version)"
[ -n "$wasm_bindgen" ] || die "Cargo.toml names no exact version of wasm-bindgen (wasm-bindgen = \"=…\")."

wanted=(compiler certificates git curl rust)
case "$mode" in
  run)
    wanted+=(wasm-bindgen cargo-leptos)
    [ -n "${DATABASE_URL:-}" ] || wanted+=(postgres)
    ;;
  rust) wanted+=(postgres) ;;
  test) wanted+=(wasm-bindgen cargo-leptos node postgres end2end chromium) ;;
  check) wanted+=(linters shellcheck jq node) ;;
  *) die "usage: setup.sh [run|test|rust|check]" ;;
esac

# Built for production, the browser's part is made as small as it gets.
[ -z "${TIDEWATCH_RELEASE:-}" ] || wanted+=(node wasm-opt)

is_here() {
  case "$1" in
    compiler) have cc ;;
    certificates) any_certificate ;;
    git | curl | jq | shellcheck | wasm-opt) have "$1" ;;
    rust) choose_toolchain ;;
    linters) cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1 ;;
    wasm-bindgen) have wasm-bindgen && [ "$(version_in "$(wasm-bindgen --version)")" = "$wasm_bindgen" ] ;;
    cargo-leptos) have cargo-leptos && [ "$(version_in "$(cargo-leptos --version)")" = "$CARGO_LEPTOS_VERSION" ] ;;
    node) have npm && have node && at_least "$(version_in "$(node --version)")" "$NODE_MINIMUM" ;;
    postgres) find_postgres any >/dev/null ;;
    chromium) find_chromium >/dev/null ;;
    end2end) end2end_is_installed ;;
  esac
}

any_certificate() {
  [ "$(uname -s)" != Linux ] || [ -n "${SSL_CERT_FILE:-}" ] ||
    [ -n "$(find -L /etc/ssl/certs /etc/pki/tls/certs -maxdepth 1 -type f -name '*.[cp]*' 2>/dev/null | head -n 1)" ]
}

end2end_is_installed() (
  cd "$TIDEWATCH_ROOT/end2end" 2>/dev/null && [ -f package-lock.json ] || return 0 # no browser tests, nothing to install
  [ -f node_modules/.installed ] && [ "$(cat node_modules/.installed)" = "$(hash_of package.json package-lock.json)" ]
)

# Whatever is missing ends up in one of these.
packages=() # for the system's package manager
steps=()    # after the packages, in this order
lacking=()  # what cannot be installed from here, with the command that does it
manager="$(package_manager)"
lists_are_fresh=''

contains() {
  local item wanted_item="$1"
  shift
  for item in "$@"; do
    [ "$item" != "$wanted_item" ] || return 0
  done
  return 1
}

# The lists of a fresh machine are empty; without them apt knows no package at all.
refresh_lists() {
  [ -z "$lists_are_fresh" ] || return 0
  lists_are_fresh=1
  can_be_root || return 0
  LONG_QUIET=1 run_long apt-lists "Package lists" "$here/setup/apt-lists.sh" || true
}

# from_system TOOL: true when the package manager has it.
from_system() {
  local brought
  brought="$(packages_for "$manager" "$1")"
  # shellcheck disable=SC2206 # several packages in one line
  [ -z "$brought" ] || packages+=($brought)
  [ -n "$brought" ]
}

plan_rust() {
  local family lld
  # The distribution's Rust may be complete already, and only unknown to rustup.
  if have rustup && suits /usr/bin/rustc; then
    rustup toolchain link debian /usr >/dev/null 2>&1 || true
    ! choose_toolchain || return 0
  fi
  if have rustup && rust_by_rustup; then
    return 0
  fi
  if [ "$manager" = apt-get ]; then
    refresh_lists
    if apt_offers rustc-web "$RUST_MINIMUM"; then
      family=-web
    elif apt_offers rustc "$RUST_MINIMUM" && apt_offers libstd-rust-dev-wasm32; then
      family=''
    elif ! have rustup && apt_offers rustup; then
      packages+=(rustup)
      steps+=(rust-rustup)
      return 0
    else
      lacking+=("Rust $RUST_MINIMUM or newer with the target $WASM_TARGET: install rustup (https://rustup.rs), then" \
        "  rustup toolchain install $RUST_RUSTUP --target $WASM_TARGET")
      return 0
    fi
    for lld in lld-22 lld-21 lld-20 lld-19 lld; do
      ! apt_offers "$lld" || break
    done
    if [ -n "$family" ]; then
      packages+=(rustc-web cargo-web rust-web-src libstd-rust-web-dev "$lld")
      steps+=(rust-wasm-std)
    else
      packages+=(rustc cargo libstd-rust-dev libstd-rust-dev-wasm32 "$lld")
    fi
  elif have rustup; then
    lacking+=("Rust $RUST_MINIMUM or newer with the target $WASM_TARGET: rustup toolchain install $RUST_RUSTUP --target $WASM_TARGET")
  else
    from_system rust ||
      lacking+=("Rust $RUST_MINIMUM or newer with the target $WASM_TARGET: install rustup (https://rustup.rs)")
  fi
}

# rustup may be unable to reach its server, and then it hangs: it is given up when nothing moves for 20 s.
rust_by_rustup() {
  local root="${RUSTUP_HOME:-$HOME/.rustup}"
  if LONG_QUIET=1 LONG_IDLE=20 LONG_WATCH="$root/downloads $root/tmp $root/toolchains" \
    run_long rustup "Rust with $WASM_TARGET, through rustup" "$here/setup/rust-rustup.sh" && choose_toolchain; then
    return 0
  fi
  warn "  rustup could not bring it (log: $LONG_LOGS/rustup.log); trying the system's packages."
  return 1
}

plan_linters() {
  if contains rust ${missing[@]+"${missing[@]}"} || [ "${RUSTUP_TOOLCHAIN:-}" = debian ] || ! have rustup; then
    [ "$manager" = apt-get ] || return 0
    refresh_lists
    if apt_offers rust-web-clippy "$RUST_MINIMUM" && apt_offers rustfmt-web; then
      packages+=(rust-web-clippy rustfmt-web)
    elif apt_offers rust-clippy "$RUST_MINIMUM"; then
      packages+=(rust-clippy rustfmt)
    fi
  else
    steps+=(linters)
  fi
}

plan_node() {
  local candidate
  if have npm && have node; then
    steps+=(node-npm) # too old
  elif from_system node && [ "$manager" = apt-get ]; then
    refresh_lists
    candidate="$(apt_candidate nodejs)"
    at_least "${candidate:-0}" "$NODE_MINIMUM" || steps+=(node-npm)
  elif [ "$manager" = none ]; then
    lacking+=("Node $NODE_MINIMUM or newer with npm: https://nodejs.org")
  fi
}

plan_postgres() {
  if [ "$manager" = apt-get ]; then
    refresh_lists
    if apt_offers postgresql "$POSTGRES_MINIMUM"; then
      from_system postgres
      return 0
    fi
  fi
  if have npm || contains node ${missing[@]+"${missing[@]}"}; then
    steps+=(postgres-npm)
  elif [ "$manager" = apt-get ]; then
    plan_node
    steps+=(postgres-npm)
  else
    from_system postgres ||
      lacking+=("PostgreSQL $POSTGRES_MINIMUM or newer, or DATABASE_URL of one that runs: https://www.postgresql.org/download/")
  fi
}

plan_chromium() {
  # Ubuntu's package is an empty one that asks for snap.
  if [ "$manager" = apt-get ] && grep -q '^ID=debian' /etc/os-release 2>/dev/null; then
    from_system chromium
  else
    steps+=(chromium-playwright)
  fi
}

plan() {
  case "$1" in
    compiler)
      if [ "$(uname -s)" = Darwin ]; then
        lacking+=("a C compiler: xcode-select --install")
      else
        from_system compiler || lacking+=("a C compiler (cc)")
      fi
      ;;
    certificates | git | curl) from_system "$1" || lacking+=("$1") ;;
    jq | shellcheck) [ "$manager" != apt-get ] || from_system "$1" ;;
    wasm-bindgen | cargo-leptos | end2end | wasm-opt) steps+=("$1") ;;
    *) "plan_$1" ;;
  esac
}

number=0
total=0

step() {
  local name="$1" text="$2"
  shift 2
  number=$((number + 1))
  run_long "$name" "[$number/$total] $text" "$@" || exit 1
}

take_step() {
  case "$1" in
    rust-rustup) step rust-rustup "Rust $RUST_RUSTUP with $WASM_TARGET, through rustup" "$here/setup/rust-rustup.sh" ;;
    rust-wasm-std)
      step rust-wasm-std "Rust's standard library for wasm32 — compiling, about 1 min, once" "$here/setup/rust-wasm-std.sh"
      ! have rustup || rustup toolchain link debian /usr >/dev/null 2>&1 || true
      choose_toolchain || true
      ;;
    linters)
      step linters "clippy and rustfmt, through rustup" rustup component add clippy rustfmt
      ;;
    wasm-bindgen)
      step wasm-bindgen "wasm-bindgen $wasm_bindgen — compiling, about 4 min, once" \
        "$here/setup/cargo-tool.sh" wasm-bindgen-cli "$wasm_bindgen"
      ;;
    cargo-leptos)
      step cargo-leptos "cargo-leptos $CARGO_LEPTOS_VERSION — compiling, about 8 min, once" \
        "$here/setup/cargo-tool.sh" cargo-leptos "$CARGO_LEPTOS_VERSION" --features no_downloads --debug
      ;;
    wasm-opt) step wasm-opt "wasm-opt from npm" "$here/setup/wasm-opt-npm.sh" ;;
    node-npm) step node-npm "Node $NODE_NPM from npm" "$here/setup/node-npm.sh" ;;
    postgres-npm) step postgres-npm "PostgreSQL's programs from npm" "$here/setup/postgres-npm.sh" ;;
    end2end) step end2end "Packages of the browser tests" "$here/setup/end2end.sh" ;;
    chromium-playwright) step chromium "Chromium, from Playwright" "$here/setup/chromium-playwright.sh" ;;
  esac
}

# ---------------------------------------------------------------------------------------------------------------------

missing=()
for tool in "${wanted[@]}"; do
  is_here "$tool" || missing+=("$tool")
done
[ "${#missing[@]}" -gt 0 ] || exit 0

lock "$TIDEWATCH_CACHE/setup.lock" "Another set-up is at work on this machine; waiting for it."
title "Set-up: ${missing[*]} missing"

for tool in "${missing[@]}"; do
  ! is_here "$tool" || continue # another set-up brought it while this one waited
  plan "$tool"
done

if [ "${#packages[@]}" -gt 0 ] && { [ "$manager" != apt-get ] || ! can_be_root; }; then
  lacking=("$(install_command "$manager" "${packages[@]}")" ${lacking[@]+"${lacking[@]}"})
fi
if [ "${#lacking[@]}" -gt 0 ]; then
  complain "This has to be installed by hand; then the same command again:"
  printf '  %s\n' "${lacking[@]}" >&2
  exit 1
fi

total=${#steps[@]}
if [ "${#packages[@]}" -gt 0 ]; then
  refresh_lists
  total=$((total + 1))
  step packages "Packages: ${packages[*]}" "$here/setup/apt-install.sh" "${packages[@]}"
fi
choose_toolchain || true
for next_step in ${steps[@]+"${steps[@]}"}; do
  take_step "$next_step"
done
hash -r

for tool in "${missing[@]}"; do
  if ! is_here "$tool"; then
    case "$tool" in
      linters | jq | shellcheck) warn "$tool could not be installed; make check says what it leaves out." ;;
      *) die "$tool is still missing after the set-up; its logs are in $LONG_LOGS." ;;
    esac
  fi
done
good "Set-up is complete."
