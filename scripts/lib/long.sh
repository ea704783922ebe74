# Running a command that takes long: its output goes to a log, and the terminal shows that it is alive.
# shellcheck shell=bash

LONG_LOGS="$TIDEWATCH_CACHE/logs"
LONG_PID='' # the process group that runs at this moment

# run_long NAME TITLE COMMAND...
# LONG_IDLE=20 gives the command up after 20 s in which neither its log nor the folders of LONG_WATCH grew.
# LONG_TAIL=80 shows that many lines of the log upon failure; LONG_QUIET=1 leaves a failure to the caller to report.
run_long() {
  local log="$LONG_LOGS/$1.log" title="$2" started=$SECONDS shown=$SECONDS status=0
  local size=-1 grew=$SECONDS now_size
  shift 2
  mkdir -p "$LONG_LOGS"
  [ -t 1 ] || say "$title"

  # Its own process group, so that all of it can be stopped; set -m does that.
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  LONG_PID=$!
  set +m

  while kill -0 "$LONG_PID" 2>/dev/null; do
    if [ -t 1 ]; then
      long_live_line "$title" "$((SECONDS - started))" "$log"
    elif [ $((SECONDS - shown)) -ge 15 ]; then
      shown=$SECONDS
      say "  $(clock $((SECONDS - started)))  $(long_last_line "$log")"
    fi
    if [ -n "${LONG_IDLE:-}" ]; then
      now_size="$(long_size "$log")"
      if [ "$now_size" != "$size" ]; then
        size="$now_size" grew=$SECONDS
      elif [ $((SECONDS - grew)) -ge "$LONG_IDLE" ]; then
        say "nothing moved for $LONG_IDLE s: given up" >>"$log"
        stop_long
        status=124
        break
      fi
    fi
    if [ $((SECONDS - started)) -lt 2 ]; then sleep 0.1; else sleep 0.5; fi
  done
  if [ "$status" -eq 0 ]; then
    wait "$LONG_PID" || status=$?
  fi
  LONG_PID=''

  [ ! -t 1 ] || printf '\r\033[K'
  if [ "$status" -eq 0 ]; then
    if [ -t 1 ]; then
      say "$title ${DIM}— done in $(clock $((SECONDS - started)))${PLAIN}"
    else
      say "  done in $(clock $((SECONDS - started)))"
    fi
  elif [ -z "${LONG_QUIET:-}" ]; then
    complain "$title — failed after $(clock $((SECONDS - started))); the end of $log:"
    tail -n "${LONG_TAIL:-30}" "$log" | sed 's/^/  | /' >&2
  fi
  return "$status"
}

# Stops what run_long started, with all its children.
stop_long() {
  local pid="$LONG_PID" waited=0
  [ -n "$pid" ] || return 0
  LONG_PID=''
  kill -TERM -- "-$pid" 2>/dev/null || return 0
  while kill -0 -- "-$pid" 2>/dev/null && [ "$waited" -lt 50 ]; do
    sleep 0.1
    waited=$((waited + 1))
  done
  kill -KILL -- "-$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# For scripts with no traps of their own.
stop_long_when_interrupted() {
  trap 'stop_long; exit 130' INT
  trap 'stop_long; exit 143' TERM HUP
}

long_last_line() {
  tail -c 2000 "$1" 2>/dev/null | tr '\r' '\n' |
    sed -e $'s/\033\\[[0-9;?]*[A-Za-z]//g' -e 's/^[[:space:]]*//' -e '/^$/d' | tail -n 1 | cut -c 1-100
}

long_live_line() {
  local columns line
  columns="$(stty size 2>/dev/null </dev/tty | cut -d ' ' -f 2)" || columns=''
  case "$columns" in '' | 0) columns=80 ;; esac
  line="$1  $(clock "$2")  $(long_last_line "$3")"
  printf '\r\033[K%s' "${line:0:$((columns - 1))}"
}

long_size() {
  local folders=() folder
  for folder in ${LONG_WATCH:-}; do
    [ ! -e "$folder" ] || folders+=("$folder")
  done
  du -sk "$1" ${folders[@]+"${folders[@]}"} 2>/dev/null | awk '{ sum += $1 } END { print sum + 0 }'
  wc -c <"$1"
}
