# HTTP without a program for it.
# shellcheck shell=bash

# http_status HOST PORT PATH: prints the status code; fails when nobody answers.
http_status() (
  exec 2>/dev/null
  exec 3<>"/dev/tcp/$1/$2" || exit 1
  printf 'GET %s HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n' "$3" "$1" "$2" >&3
  IFS=' ' read -r -t 3 _ status _ <&3 || exit 1
  IFS='' read -r -t 1 -d '' _ <&3 # the rest, so that the server sees no broken connection
  printf '%s\n' "$status"
)

# wait_until_ready HOST PORT PID: until the server takes work. Fails when its process (lib/process.sh) has ended, or after 60 s.
wait_until_ready() {
  local waited=0
  until [ "$(http_status "$1" "$2" /readyz || true)" = 200 ]; do
    is_alive "$3" && [ "$waited" -lt 300 ] || return 1
    sleep 0.2
    waited=$((waited + 1))
  done
}
