# One `make run` or `make dev` in a clone.
# shellcheck shell=bash

ONLY_ONE_FILE="$TIDEWATCH_DATA/run.pid"

# only_one NAME: ends the script when another is at work in this clone.
only_one() {
  local pid name
  mkdir -p "$TIDEWATCH_DATA"
  if read -r pid name 2>/dev/null <"$ONLY_ONE_FILE" && [ "$pid" != $$ ] && is_our_script "$pid"; then
    die "make $name is at work in this clone already (process $pid). make stop ends it."
  fi
  printf '%s %s\n' $$ "$1" >"$ONLY_ONE_FILE"
}

leave_alone() { rm -f "$ONLY_ONE_FILE"; }

is_our_script() {
  local command
  if [ -r "/proc/$1/cmdline" ]; then
    command="$(tr '\0' ' ' <"/proc/$1/cmdline")"
  else
    command="$(ps -p "$1" -o command= 2>/dev/null)" || return 1
  fi
  case "$command" in
    *bash*run.sh* | *bash*dev.sh*) return 0 ;;
    *) return 1 ;;
  esac
}
