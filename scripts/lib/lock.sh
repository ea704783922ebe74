# One at a time.
# shellcheck shell=bash

# lock FILE [MESSAGE]: held until this process and its children end. Where flock is missing (macOS), nothing is locked.
lock() {
  have flock || return 0
  mkdir -p "${1%/*}"
  exec 8>"$1"
  if ! flock -n 8; then
    [ -z "${2:-}" ] || remark "$2"
    flock 8
  fi
}

unlock() {
  ! have flock || exec 8>&-
}
