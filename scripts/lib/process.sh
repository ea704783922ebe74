# Starting processes in the background and ending them by pid.
# shellcheck shell=bash disable=SC2034 # SPAWNED is read by the caller

# spawn LOG COMMAND...: sets $SPAWNED. A process group of its own, so that Ctrl-C reaches only the script, which then
# ends things in order.
spawn() {
  local log="$1"
  shift
  mkdir -p "${log%/*}"
  [ ! -s "$log" ] || mv "$log" "$log.1"
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  SPAWNED=$!
  set +m
}

# run_script COMMAND...: another script, in the foreground for its user but waited for in such a way that a signal is
# acted upon at once. It cannot hear Ctrl-C (bash starts it deaf to that): end_process "$SCRIPT" belongs in the trap.
SCRIPT=''
run_script() {
  local status=0
  "$@" <&0 &
  SCRIPT=$!
  wait "$SCRIPT" || status=$?
  SCRIPT=''
  return "$status"
}

is_alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null; }

# end_process PID [SECONDS]: asks, waits, and then insists.
end_process() {
  local pid="$1" tenths=$((${2:-10} * 10))
  is_alive "$pid" || return 0
  kill -TERM "$pid" 2>/dev/null || return 0
  while is_alive "$pid" && [ "$tenths" -gt 0 ]; do
    sleep 0.1
    tenths=$((tenths - 1))
  done
  kill -KILL "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

show_tail() {
  complain "The end of $1:"
  tail -n "${2:-20}" "$1" | sed 's/^/  | /' >&2
}
