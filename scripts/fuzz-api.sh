#!/usr/bin/env bash
# fuzz-api.sh (make fuzz-api): asks every operation of the API, by its OpenAPI document, with what it takes and with what it must
# refuse, and holds the answers against the document: no 5xx, no status, body or header that is not in it. About seven minutes.
#   FUZZ_SECONDS=300  for how long it tries
#   SEED=             of an earlier run, to repeat it
#   ONLY=             the operationIds that are asked, with commas between them
#   FUZZ_SERVER=      a tidewatch binary to ask, in place of one that is built here
# schemathesis does it, which is installed into the tools' cache. Server and PostgreSQL are of its own and go when it ends.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/envfile.sh
. "$here/lib/envfile.sh"
# shellcheck source=scripts/lib/http.sh
. "$here/lib/http.sh"
# shellcheck source=scripts/lib/lock.sh
. "$here/lib/lock.sh"
# shellcheck source=scripts/lib/long.sh
. "$here/lib/long.sh"
# shellcheck source=scripts/lib/port.sh
. "$here/lib/port.sh"
# shellcheck source=scripts/lib/process.sh
. "$here/lib/process.sh"
# shellcheck source=scripts/lib/settings.sh
. "$here/lib/settings.sh"

cd "$TIDEWATCH_ROOT"
folder="$TIDEWATCH_DATA/fuzz"
database="$folder/postgres"
server='' fuzzer=''

# shellcheck disable=SC2317 # called by a trap
stop_all() {
  local status=$?
  trap '' INT TERM HUP
  trap - EXIT
  stop_long
  end_process "$SCRIPT" 10
  end_process "$fuzzer" 5
  end_process "$server" 10
  "$here/postgres.sh" remove "$database" || true
  exit "$status"
}

# A schemathesis of this very version, in a place of its own: no other Python of this machine is touched.
install_schemathesis() {
  local place="$TIDEWATCH_TOOLS/schemathesis-$SCHEMATHESIS_VERSION" python=''
  schemathesis="$place/bin/schemathesis"
  [ ! -e "$place/.installed" ] || return 0
  for python in python3 python3.13 python3.12 python3.11 python3.10; do
    ! "$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || break
    python=''
  done
  [ -n "$python" ] ||
    die "Python 3.10 or later with venv is needed. On Debian or Ubuntu: apt-get install python3-venv. On macOS: brew install python"
  rm -rf "$place"
  run_long schemathesis-venv "A place for schemathesis" "$python" -m venv "$place"
  run_long schemathesis "schemathesis $SCHEMATHESIS_VERSION, once" \
    "$place/bin/pip" install --disable-pip-version-check --quiet "schemathesis==$SCHEMATHESIS_VERSION"
  : >"$place/.installed"
}

start_server() {
  spawn "$folder/server.log" "$program" serve
  server=$SPAWNED
  if ! wait_until_ready 127.0.0.1 "$port" "$server"; then
    complain "The server does not serve."
    show_tail "$folder/server.log" 30
    exit 1
  fi
}

# An access token of the demo's operator: it counts for 10 minutes.
access_token() {
  local login
  login="$(printf '{"email":"%s","password":"%s"}' "$(env_value "$folder/demo.env" TIDEWATCH_EMAIL)" \
    "$(env_value "$folder/demo.env" TIDEWATCH_PASSWORD)")"
  curl --fail --silent --show-error -H 'Content-Type: application/json' --data "$login" "$url/api/v1/auth/token" |
    sed 's/.*"accessToken":"\([^"]*\)".*/\1/'
}

# fuzz TITLE ARGUMENT...: its output is for whoever waits.
fuzz() {
  local status=0
  printf '\n'
  title "── $1"
  shift
  set -m
  "$schemathesis" --config-file "$here/fuzz-api.toml" run "$url/api/openapi.json" --url "$url" "$@" \
    ${SEED:+--seed "$SEED"} </dev/null &
  fuzzer=$!
  set +m
  wait "$fuzzer" || status=$?
  fuzzer=''
  [ "$status" -eq 0 ] || broken=1
}

mkdir -p "$folder"
lock "$TIDEWATCH_DATA/fuzz.lock" "Another make fuzz-api is at work in this clone; waiting for it."
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
forget_settings TIDEWATCH_POSTGRES_BIN

run_script "$here/setup.sh" rust
need_toolchain
install_schemathesis
program="${FUZZ_SERVER:-}"
if [ -z "$program" ]; then
  run_long fuzz-server "Building the server" cargo build -p tidewatch-server
  # The target directory is shared by all clones: another build must not swap what runs here.
  program="$folder/tidewatch"
  rm -f "$program"
  cp "$CARGO_TARGET_DIR/debug/tidewatch" "$program"
  # Pages name their scripts by a file that lies beside the program. The fuzzer's first probe is led to one.
  printf 'js: x\nwasm: x\ncss: x\n' >"$folder/hash.txt"
fi

"$here/postgres.sh" remove "$database"
"$here/postgres.sh" start "$database" --fast
DATABASE_URL="$("$here/postgres.sh" url "$database")"
port="$(free_port)"
url="http://127.0.0.1:$port"
export DATABASE_URL TIDEWATCH_LISTEN="127.0.0.1:$port" TIDEWATCH_URL="$url"
# The demo watches servers on this machine.
export TIDEWATCH_CHECK_ALLOWED_NETWORKS=127.0.0.0/8
"$program" migrate >"$folder/migrate.log" 2>&1 || { show_tail "$folder/migrate.log"; exit 1; }
"$program" seed --write-env "$folder/demo.env" >"$folder/seed.log" 2>&1 || { show_tail "$folder/seed.log"; exit 1; }
start_server
key="$(env_value "$folder/demo.env" TIDEWATCH_API_KEY)"
# What fuzz-api.toml sends.
export FUZZ_BEARER="$key"

# It leaves notes where it runs.
cd "$folder"
broken=0
seconds="${FUZZ_SECONDS:-300}"
if [ -n "${ONLY:-}" ]; then
  chosen=()
  for name in ${ONLY//,/ }; do chosen+=(--include-operation-id "$name"); done
  fuzz "Operations that were asked for" --max-time "$seconds" "${chosen[@]}"
else
  # What ends keys comes by itself and never with a key that it was told of: else all that follows is asked by a dead one.
  ends_keys=(deleteApiKey rotateApiKey)
  others=() alone=()
  for name in "${ends_keys[@]}"; do
    others+=(--exclude-operation-id "$name")
    alone+=(--include-operation-id "$name")
  done
  fuzz "All operations but those that end keys" --max-time "$seconds" "${others[@]}"
  fuzz "What ends keys" --phases examples,coverage,fuzzing --max-time 30 "${alone[@]}"
  # Keys have neither inbox nor logins. What ends this very login, and what guesses its password, is left out.
  FUZZ_BEARER="$(access_token)"
  fuzz "What only persons have" --max-time 60 --include-path-regex '^/api/v1/(notifications|sessions)' --exclude-operation-id endSession
fi
if grep -q '"level":"ERROR"\|panicked' "$folder/server.log"; then
  broken=1
  complain "The server's log has errors:"
  grep '"level":"ERROR"\|panicked' "$folder/server.log" | head -20 >&2
fi
if [ "$broken" -ne 0 ]; then
  cp "$folder/server.log" "$folder/server.last.log"
  die "What the API answers is not what its document says. The server's log: $folder/server.last.log"
fi
good "The API answers as its document says."
