#!/usr/bin/env bash
# bench.sh (make bench): measures Tidewatch beside its peers and writes bench/RESULTS.md. About an hour.
#   RUNS=5           runs of which the median counts
#   ROWS=            fanout,commit,memory,transaction,relay,stalled,replay,held,flood,jobs,publish,
#                    pages,badge: only these
#   QUICK=           1: short windows and small numbers, for iterating
#   HOLD=300         seconds for which 10,000 connections are held
#   PAGES_EVENTS=, PAGES_SETTLEMENTS=
#                    what stands behind the pages: 10,000,000 and 1,000,000
#   BENCH_SERVER=    a tidewatch binary to measure, in place of one that is built here
#   BENCH_CORES=     SERVER/GENERATOR/POSTGRES, cores as taskset names them; 0/1/2 where there are three, else 0/1/1
# Peers whose programs are missing and cannot be installed are left out, and the report says so.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/packages.sh
. "$here/lib/packages.sh"
# shellcheck source=scripts/lib/hash.sh
. "$here/lib/hash.sh"
# shellcheck source=scripts/lib/lock.sh
. "$here/lib/lock.sh"
# shellcheck source=scripts/lib/long.sh
. "$here/lib/long.sh"
# shellcheck source=scripts/lib/process.sh
. "$here/lib/process.sh"

cd "$TIDEWATCH_ROOT"
database="$TIDEWATCH_DATA/bench-postgres"
running=''

# shellcheck disable=SC2317 # called by a trap
stop_all() {
  local status=$?
  trap '' INT TERM HUP
  trap - EXIT
  stop_long
  end_process "$SCRIPT" 10
  end_process "$running" 10
  "$here/postgres.sh" stop "$database" || true
  exit "$status"
}

# nginx and Redis are wanted as programs: their packages would start services on the usual ports.
install_peers() {
  local packages=()
  # Not every user's PATH has /usr/sbin, where nginx lies.
  if ! { have nginx || [ -x /usr/sbin/nginx ]; } || ! [ -e /usr/lib/nginx/modules/ngx_nchan_module.so ]; then
    packages+=(nginx-light libnginx-mod-nchan)
  fi
  have redis-server || packages+=(redis-server)
  [ "${#packages[@]}" -gt 0 ] || return 0
  if [ "$(package_manager)" = apt-get ] && can_be_root; then
    LONG_QUIET=1 run_long bench-packages "Packages of the peers: ${packages[*]}" \
      "$here/setup/bench-packages.sh" "${packages[@]}" && return 0
  fi
  warn "Peers are left out for want of ${packages[*]}: $(install_command "$(package_manager)" "${packages[@]}")"
}

# node_peer NAME: its packages, exactly as its lock file says.
node_peer() {
  local folder="$TIDEWATCH_ROOT/bench/peers/$1"
  if ! have npm; then
    warn "The peer $1 is left out: Node with npm is missing."
    return 0
  fi
  [ "$(cat "$folder/node_modules/.installed" 2>/dev/null)" != "$(cd "$folder" && peer_fingerprint)" ] || return 0
  LONG_QUIET=1 run_long "bench-$1" "Packages of the peer $1" "$here/setup/bench-node.sh" "$folder" ||
    warn "The peer $1 is left out: its packages could not be installed (log: $LONG_LOGS/bench-$1.log)."
}

peer_fingerprint() { hash_of package.json package-lock.json tsconfig.json src/*.ts; }

# wanted ROW: whether it is to be measured.
wanted() {
  case ",${ROWS:-$1}," in
    *",$1,"*) ;;
    *) return 1 ;;
  esac
}

default_cores() {
  if [ "$(nproc --all)" -ge 3 ]; then echo 0/1/2; else echo 0/1/1; fi
}

for tool in taskset setpriv ss; do
  have "$tool" || die "$tool is missing; the benchmarks need Linux with util-linux and iproute2."
done
[ "$(nproc --all)" -ge 2 ] || die "The benchmarks need two cores: one for the server, one for the load generator."

mkdir -p "$TIDEWATCH_DATA"
lock "$TIDEWATCH_DATA/bench.lock" "Another make bench is at work in this clone; waiting for it."
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

run_script "$here/setup.sh" rust
need_toolchain
case "${ROWS:-}" in
  jobs | pages | badge) ;;
  publish) node_peer hono ;;
  *)
    install_peers
    node_peer hono
    node_peer nestjs
    ;;
esac
if wanted jobs; then
  node_peer graphile-worker
fi
run_long bench-build "Building the benchmarks" cargo build --release -p tidewatch-bench
server="${BENCH_SERVER:-}"
if [ -z "$server" ]; then
  # A target directory is shared by all clones: the copy stays what was built here.
  run_long bench-server "Building the server, for production" \
    cargo build --release -p tidewatch-server --no-default-features
  server="$TIDEWATCH_DATA/bench-tidewatch"
  cp "$CARGO_TARGET_DIR/release/tidewatch" "$server"
fi
program="$TIDEWATCH_DATA/bench-program"
cp "$CARGO_TARGET_DIR/release/tidewatch-bench" "$program"

IFS=/ read -r server_core generator_core helper_core <<<"${BENCH_CORES:-$(default_cores)}"
remark "A PostgreSQL for the benchmarks, on core $helper_core …"
"$here/postgres.sh" remove "$database" # what an earlier run left
taskset -c "$helper_core" "$here/postgres.sh" start "$database"
DATABASE_URL="$("$here/postgres.sh" url "$database")"
export DATABASE_URL
postgres_pid="$("$here/postgres.sh" pid "$database")"

arguments=(--server "$server" --postgres-pid "$postgres_pid" --run-folder "$TIDEWATCH_DATA/bench"
  --server-core "$server_core" --generator-core "$generator_core" --helper-core "$helper_core"
  --runs "${RUNS:-5}" --hold-seconds "${HOLD:-300}")
[ -z "${BENCH_SERVER:-}" ] || arguments+=(--given-server)
[ -z "${ROWS:-}" ] || arguments+=(--rows "$ROWS")
[ -z "${PAGES_EVENTS:-}" ] || arguments+=(--pages-events "$PAGES_EVENTS")
[ -z "${PAGES_SETTLEMENTS:-}" ] || arguments+=(--pages-settlements "$PAGES_SETTLEMENTS")
[ -z "${QUICK:-}" ] || arguments+=(--quick)
ulimit -n "$(ulimit -Hn)"
"$program" run "${arguments[@]}" </dev/null &
running=$!
status=0
wait "$running" || status=$?
running=''
good "The report is in bench/RESULTS.md."
exit "$status"
