# Ports of this machine.
# shellcheck shell=bash

# port_is_taken HOST PORT: does somebody answer there?
port_is_taken() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

# A free one, away from the usual ports and below those that the system gives to outgoing connections.
free_port() {
  local port
  while :; do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 10000))
    if ! port_is_taken 127.0.0.1 "$port"; then
      printf '%s\n' "$port"
      return 0
    fi
  done
}

# The process that listens on a port, as "pid name"; nothing when it cannot be found out.
port_holder() {
  local pid inode hex
  if [ -r /proc/net/tcp ]; then
    hex="$(printf '%04X' "$1")"
    while read -r inode; do
      pid="$(find /proc/[0-9]*/fd -lname "socket:\[$inode\]" 2>/dev/null | head -n 1 | cut -d / -f 3)" || true
      if [ -n "$pid" ]; then
        printf '%s %s\n' "$pid" "$(cat "/proc/$pid/comm")"
        return 0
      fi
    done < <(cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
      awk -v port=":$hex" '$4 == "0A" && substr($2, length($2) - 4) == port { print $10 }')
  elif have lsof; then
    pid="$(lsof -nP -iTCP:"$1" -sTCP:LISTEN -t 2>/dev/null | head -n 1)" || true
    [ -z "$pid" ] || printf '%s %s\n' "$pid" "$(ps -p "$pid" -o comm=)"
  fi
}
