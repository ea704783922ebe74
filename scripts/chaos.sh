#!/usr/bin/env bash
# chaos.sh (make chaos): breaks three instances of Tidewatch on purpose and writes chaos/RESULTS.md. About a quarter of an hour.
#   ONLY=kill,rolling  these faults alone (chaos/src/scenarios.rs names them)
#   READERS=300        readers at one time
#   RATE=50            changes that the simulator makes in a second
#   SECONDS_EACH=20    for how long each fault is kept up
#   BROKER=redis       what carries events between instances: postgres, redis or nats
#   CHAOS_TMPFS=600m   as root: the data of Postgres stand on a tmpfs of this size, which the fault disk-full fills
#   CHAOS_SERVER=      a tidewatch binary to break, in place of one that is built here
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/lock.sh
. "$here/lib/lock.sh"
# shellcheck source=scripts/lib/long.sh
. "$here/lib/long.sh"
# shellcheck source=scripts/lib/process.sh
. "$here/lib/process.sh"

cd "$TIDEWATCH_ROOT"
folder="$TIDEWATCH_DATA/chaos"
running='' mounted=''

# shellcheck disable=SC2317 # called by a trap
stop_all() {
  local status=$?
  trap '' INT TERM HUP
  trap - EXIT
  stop_long
  end_process "$running" 10
  "$here/postgres.sh" remove "${disk:-$folder}/postgres" || true
  [ -z "$mounted" ] || umount "$mounted" || true
  exit "$status"
}

for tool in setpriv findmnt; do
  have "$tool" || die "$tool is missing; the suite needs Linux with util-linux."
done
broker="${BROKER:-redis}"
case "$broker" in
  redis) have redis-server || die "redis-server is missing. Install it, or: BROKER=postgres make chaos" ;;
  nats) have nats-server || die "nats-server is missing. Install it, or: BROKER=postgres make chaos" ;;
  postgres) ;;
  *) die "BROKER is postgres, redis or nats." ;;
esac

mkdir -p "$folder"
lock "$TIDEWATCH_DATA/chaos.lock" "Another make chaos is at work in this clone; waiting for it."
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

run_script "$here/setup.sh" rust
need_toolchain
run_long chaos-build "Building the suite" cargo build --release -p tidewatch-chaos
server="${CHAOS_SERVER:-}"
if [ -z "$server" ]; then
  run_long chaos-server "Building the server" cargo build --release -p tidewatch-server --no-default-features
  server="$folder/tidewatch"
  cp "$CARGO_TARGET_DIR/release/tidewatch" "$server"
fi
program="$folder/program"
cp "$CARGO_TARGET_DIR/release/tidewatch-chaos" "$program"
disk="$folder"
if [ -n "${CHAOS_TMPFS:-}" ]; then
  disk="$folder/disk"
  mkdir -p "$disk"
  mount -t tmpfs -o "size=$CHAOS_TMPFS" tmpfs "$disk"
  mounted="$disk"
fi

arguments=(--server "$server" --folder "$folder" --database-folder "$disk/postgres" --readers "${READERS:-300}" --rate "${RATE:-50}"
  --seconds "${SECONDS_EACH:-20}" --broker "$broker")
[ -z "${ONLY:-}" ] || arguments+=(--only "$ONLY")
ulimit -n "$(ulimit -Hn)"
"$program" "${arguments[@]}" </dev/null &
running=$!
status=0
wait "$running" || status=$?
running=''
good "The report is in chaos/RESULTS.md."
exit "$status"
