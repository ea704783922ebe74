#!/usr/bin/env bash
# run.sh (make run): all of Tidewatch on this machine, until Ctrl-C.
#   set-up, build, PostgreSQL (unless DATABASE_URL is set), migrations, demo data, server, simulator
# TIDEWATCH_LISTEN=127.0.0.1:3000   where the server listens
# TIDEWATCH_RATE=5/s                how much the simulator does; "off" leaves it out
# PROGRAM=parcels                   a program with modules of one's own, by its package, in the place of tidewatch
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
# shellcheck source=scripts/lib/http.sh
. "$here/lib/http.sh"
# shellcheck source=scripts/lib/envfile.sh
. "$here/lib/envfile.sh"
# shellcheck source=scripts/lib/process.sh
. "$here/lib/process.sh"
# shellcheck source=scripts/lib/address.sh
. "$here/lib/address.sh"
# shellcheck source=scripts/lib/database.sh
. "$here/lib/database.sh"
# shellcheck source=scripts/lib/dist.sh
. "$here/lib/dist.sh"
# shellcheck source=scripts/lib/only-one.sh
. "$here/lib/only-one.sh"

cd "$TIDEWATCH_ROOT"
dist="$TIDEWATCH_DATA/dist"
logs="$TIDEWATCH_DATA/log"
demo="$TIDEWATCH_DATA/demo.env"
program="$dist/tidewatch"
server='' simulator='' is_up=''

# shellcheck disable=SC2317 # called by a trap
stop_all() {
  local status=$?
  trap '' INT TERM HUP
  trap - EXIT
  stop_long
  end_process "$SCRIPT" 10
  [ -z "$is_up" ] || say "Stopping …"
  end_process "$simulator" 5
  end_process "$server" $((TIDEWATCH_DRAIN_SECONDS + 5))
  rm -f "$TIDEWATCH_DATA/server.pid" "$TIDEWATCH_DATA/simulator.pid"
  stop_database
  leave_alone
  [ -z "$is_up" ] || say "Stopped."
  exit "$status"
}

# shellcheck disable=SC2317 # called by a trap
interrupted() {
  # Being told to stop is the usual end of a run; before it is up, it is a failure.
  [ -n "$is_up" ] || exit "$1"
  exit 0
}

# The short commands of the program itself: silent when they succeed.
tidewatch() {
  run_long "$1" "$2" "$program" "${@:3}"
}

# Has PROGRAM take the place of tidewatch. The site is the same: what a module is travels with the pages.
build_program() {
  run_long "build-$PROGRAM" "Building $PROGRAM" "$here/build-program.sh" "$PROGRAM" "$dist"
  program="$dist/$PROGRAM"
}

start_server() {
  spawn "$logs/server.log" "$program" serve
  server=$SPAWNED
  echo "$server" >"$TIDEWATCH_DATA/server.pid"
  wait_until_ready "$host" "$port" "$server" && return
  is_alive "$server" || server_ended
  complain "The server is not ready after 60 s (GET /readyz answers: $(http_status "$host" "$port" /readyz || echo nothing))."
  show_tail "$logs/server.log"
  exit 1
}

server_ended() {
  local status=0
  wait "$server" || status=$?
  server=''
  complain "The server ended by itself (exit code $status)."
  show_tail "$logs/server.log" 30
  [ "$status" -ne 0 ] || status=1
  exit "$status"
}

start_simulator() {
  [ "${TIDEWATCH_RATE:-5/s}" != off ] || return 0
  TIDEWATCH_API_KEY="$(env_value "$demo" TIDEWATCH_API_KEY)" \
    TIDEWATCH_SUPERVISOR_API_KEY="$(env_value "$demo" TIDEWATCH_SUPERVISOR_API_KEY)" \
    spawn "$logs/simulator.log" "$program" simulate --rate "${TIDEWATCH_RATE:-5/s}"
  simulator=$SPAWNED
  echo "$simulator" >"$TIDEWATCH_DATA/simulator.pid"
}

watch_over() {
  while is_alive "$server"; do
    if [ -n "$simulator" ] && ! is_alive "$simulator"; then
      warn "The simulator ended; the server goes on without it."
      show_tail "$logs/simulator.log" 10
      simulator=''
    fi
    sleep 0.5
  done
  server_ended
}

case "${PROGRAM:-}" in
  *[!a-z0-9_-]*) die "PROGRAM is the name of a package, such as parcels" ;;
esac
load_env .env
choose_address
# Open browsers keep their streams: whoever stops a demo does not want to wait for them.
export TIDEWATCH_DRAIN_SECONDS="${TIDEWATCH_DRAIN_SECONDS:-3}"
# The demo watches servers on this machine.
export TIDEWATCH_CHECK_ALLOWED_NETWORKS="${TIDEWATCH_CHECK_ALLOWED_NETWORKS:-127.0.0.0/8}"
only_one run
need_free_port # before the traps: what runs already is not ours to stop
trap stop_all EXIT
trap 'interrupted 130' INT
trap 'interrupted 143' TERM HUP

run_script "$here/setup.sh" run
need_toolchain
run_script "$here/build.sh" "$dist"
[ -z "${PROGRAM:-}" ] || build_program
use_dist "$dist"
start_database
tidewatch migrate "Migrating the database" migrate
tidewatch seed "Demo data" seed --write-env "$demo"
need_free_port
start_server
start_simulator
is_up=1
"$here/banner.sh" "$demo"
watch_over
