# Where a cluster lies and which user runs it. PostgreSQL refuses to run as root.
# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with postgres.sh and cluster.sh

# Sets $owner: the user that runs the server, empty for the one at work.
choose_owner() {
  owner=''
  [ "$(id -u)" -eq 0 ] || return 0
  for owner in postgres nobody; do
    if id -u "$owner" >/dev/null 2>&1; then
      return 0
    fi
  done
  die "PostgreSQL cannot run as root, and there is neither a user postgres nor a user nobody."
}

# In / because the folder at work may be closed to that user.
as_owner() {
  if [ -z "$owner" ]; then
    "$@"
  elif have runuser; then
    (cd / && runuser -u "$owner" -- "$@")
  else
    (cd / && su -s /bin/sh "$owner" -c 'exec "$@"' -- sh "$@")
  fi
}

# Sets $folder: the folder that was asked for, or, when the user that runs the server cannot reach it
# (a clone under /root), one under /var/tmp that belongs to this clone.
locate() {
  folder="$1"
  relocated=''
  if [ -n "$owner" ] && ! reachable "$1"; then
    folder="/var/tmp/tidewatch-$(printf '%s' "$1" | sha256 | cut -c 1-12)"
    relocated=1
  fi
}

reachable() {
  local path="$1"
  while [ ! -d "$path" ]; do
    path="${path%/*}"
  done
  as_owner test -x "${path:-/}"
}

prepare_folder() {
  if [ -n "$relocated" ]; then
    if [ ! -d "$folder" ]; then
      remark "User $owner cannot reach $given, so PostgreSQL keeps its data in $folder."
      mkdir -m 755 "$folder"
    fi
    # /var/tmp is open to all: a folder that someone else made there is not ours.
    if [ -L "$folder" ] || [ ! -O "$folder" ]; then
      die "$folder belongs to someone else; remove it."
    fi
  else
    mkdir -p "$folder"
  fi
  touch "$folder/postgres.log"
  [ -z "$owner" ] || chown "$owner" "$folder/postgres.log"
}
