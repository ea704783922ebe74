# Where the server listens, and the address that people type.
# shellcheck shell=bash disable=SC2034 # read by run.sh and dev.sh

# Sets and exports TIDEWATCH_LISTEN and TIDEWATCH_URL; sets $host and $port to connect to.
choose_address() {
  export TIDEWATCH_LISTEN="${TIDEWATCH_LISTEN:-127.0.0.1:3000}"
  port="${TIDEWATCH_LISTEN##*:}"
  host="${TIDEWATCH_LISTEN%:*}"
  [[ "$port" =~ ^[1-9][0-9]*$ ]] || die "TIDEWATCH_LISTEN is \"$TIDEWATCH_LISTEN\"; it should be like 127.0.0.1:3000."
  case "$host" in
    0.0.0.0 | '[::]' | '') host=127.0.0.1 ;;
    '['*']') host="${host#[}" host="${host%]}" ;;
  esac
  case "$host" in
    *:*) TIDEWATCH_URL="http://[$host]:$port" ;;
    *) TIDEWATCH_URL="http://$host:$port" ;;
  esac
  export TIDEWATCH_URL
}

need_free_port() {
  local holder
  port_is_taken "$host" "$port" || return 0
  holder="$(port_holder "$port")"
  complain "$TIDEWATCH_LISTEN is taken${holder:+ by ${holder#* } (process ${holder%% *})}."
  case "$holder" in
    *tidewatch*) complain "If an earlier run left it: make stop. Or choose another port: TIDEWATCH_LISTEN=127.0.0.1:3010 make run" ;;
    *) complain "End that process, or choose another port: TIDEWATCH_LISTEN=127.0.0.1:3010 make run" ;;
  esac
  exit 1
}
