# Paths, tools and the Rust toolchain. Every script sources this first; it must stay quick.
# shellcheck shell=bash disable=SC2034 # most names are for whoever sources this

: "${HOME:=$(cd ~ && pwd)}"
export HOME

TIDEWATCH_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
TIDEWATCH_DATA="$TIDEWATCH_ROOT/.data"
TIDEWATCH_CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/tidewatch"
TIDEWATCH_TOOLS="$TIDEWATCH_CACHE/tools"
# Not exported: TIDEWATCH_* variables of the environment are settings of the server.

# One target directory for all clones: the dependencies compile once.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$TIDEWATCH_CACHE/target}"

# Flags of the shell take the place of those in .cargo/config.toml, which nothing compiles without.
for flags in RUSTFLAGS RUSTDOCFLAGS; do
  if [ -n "${!flags:-}" ] && [[ ${!flags} != *erase_components* ]]; then
    export "$flags=${!flags} --cfg erase_components"
  fi
done
unset flags

# A rustup that was installed a moment ago is not yet on the PATH of this shell.
if ! command -v rustup >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/rustup" ]; then
  PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi
PATH="$TIDEWATCH_TOOLS/bin:$TIDEWATCH_ROOT/end2end/node_modules/.bin:$PATH"
export PATH

# shellcheck source=scripts/versions.sh
. "$TIDEWATCH_ROOT/scripts/versions.sh"
# shellcheck source=scripts/lib/say.sh
. "$TIDEWATCH_ROOT/scripts/lib/say.sh"
# shellcheck source=scripts/lib/version.sh
. "$TIDEWATCH_ROOT/scripts/lib/version.sh"
# shellcheck source=scripts/lib/toolchain.sh
. "$TIDEWATCH_ROOT/scripts/lib/toolchain.sh"

choose_toolchain || true # setup.sh finds out again, and installs what is missing
