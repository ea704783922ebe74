#!/usr/bin/env bash
# dev.sh (make dev): server and site, rebuilt and reloaded whenever a file changes, with database and demo data.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/long.sh
. "$here/lib/long.sh"
# shellcheck source=scripts/lib/hash.sh
. "$here/lib/hash.sh"
# shellcheck source=scripts/lib/port.sh
. "$here/lib/port.sh"
# shellcheck source=scripts/lib/envfile.sh
. "$here/lib/envfile.sh"
# shellcheck source=scripts/lib/process.sh
. "$here/lib/process.sh"
# shellcheck source=scripts/lib/address.sh
. "$here/lib/address.sh"
# shellcheck source=scripts/lib/database.sh
. "$here/lib/database.sh"
# shellcheck source=scripts/lib/only-one.sh
. "$here/lib/only-one.sh"

cd "$TIDEWATCH_ROOT"
demo="$TIDEWATCH_DATA/demo.env"
watcher=''

stop_all() {
  local status=$?
  trap '' INT TERM HUP
  trap - EXIT
  stop_long
  end_process "$SCRIPT" 10
  if is_alive "$watcher"; then
    # cargo-leptos ends its server upon an interrupt only.
    kill -INT -- "-$watcher" 2>/dev/null || true
    sleep 1
    kill -TERM -- "-$watcher" 2>/dev/null || true
  fi
  stop_database
  leave_alone
  exit "$status"
}

load_env .env
choose_address
export LEPTOS_SITE_ADDR="$TIDEWATCH_LISTEN"
only_one dev
need_free_port # before the traps: what runs already is not ours to stop
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

run_script "$here/setup.sh" run
need_toolchain
run_long build-server "Building the server — 3 to 6 min the first time" \
  cargo build --package tidewatch-server --bin tidewatch --no-default-features
start_database
run_long migrate "Migrating the database" "$CARGO_TARGET_DIR/debug/tidewatch" migrate
run_long seed "Demo data" "$CARGO_TARGET_DIR/debug/tidewatch" seed --write-env "$demo"
"$here/banner.sh" "$demo"

set -m
# The binary has several commands: this one.
cargo leptos watch -- serve </dev/null &
watcher=$!
set +m
wait "$watcher"
