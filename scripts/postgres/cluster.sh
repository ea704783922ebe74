# Creating, starting and stopping the cluster in $folder, run by $owner.
# shellcheck shell=bash disable=SC2154 # folder, owner, fast and given are set by postgres.sh

start_cluster() {
  if is_running; then
    return 0
  fi
  find_programs
  [ -d "$folder/cluster" ] || create_cluster
  forget_dead_postmaster
  apply_roles "$folder/cluster"
  rotate_log

  local _ written
  for _ in 1 2 3 4 5; do
    pick_port
    write_settings "$folder/cluster"
    written="$(wc -c <"$folder/postgres.log")"
    # The server outlives this script and must not keep its lock (descriptor 8).
    if as_owner "$programs/pg_ctl" start -D "$folder/cluster" -l "$folder/postgres.log" -w -t 60 -s \
      8>&- >/dev/null 2>&1; then
      return 0
    fi
    case "$(tail -c "+$((written + 1))" "$folder/postgres.log")" in
      *'could not bind'*) rm -f "$folder/port" ;; # somebody took it a moment ago
      *'shared memory block'*) sleep 1 ;;         # after a crash: its last children are still ending
      *) break ;;
    esac
  done
  complain "PostgreSQL did not start; the end of $folder/postgres.log:"
  tail -n 20 "$folder/postgres.log" | sed 's/^/  | /' >&2
  exit 1
}

stop_cluster() {
  is_running || return 0
  find_programs
  if ! as_owner "$programs/pg_ctl" stop -D "$folder/cluster" -m fast -w -t 15 -s >/dev/null 2>&1; then
    as_owner "$programs/pg_ctl" stop -D "$folder/cluster" -m immediate -w -t 15 -s
  fi
}

# The programs of the very version that made the cluster.
find_programs() {
  local version=any
  if [ -f "$folder/cluster/PG_VERSION" ]; then
    version="$(cat "$folder/cluster/PG_VERSION")"
  fi
  programs="$(find_postgres "$version")" ||
    if [ "$version" = any ]; then
      die "PostgreSQL $POSTGRES_MINIMUM or newer is missing; make setup installs it."
    else
      die "The data in $folder are of PostgreSQL $version, whose programs are gone. To begin anew: scripts/postgres.sh remove $given"
    fi
}

# A pid in postmaster.pid counts only while it is a PostgreSQL: after a crash it may be anyone's, or a zombie's
# (which has no command line).
is_running() {
  local pid
  pid="$(head -n 1 "$folder/cluster/postmaster.pid" 2>/dev/null)" && [ -n "$pid" ] || return 1
  if [ -d /proc/self ]; then
    grep -aq postgres "/proc/$pid/cmdline" 2>/dev/null
  else
    ps -p "$pid" -o command= 2>/dev/null | grep -q postgres
  fi
}

# Called when is_running said no. PostgreSQL would take any living process with the old pid for the old server. The rest
# of the file stays: by it the new server makes sure that no child of the old one still writes.
forget_dead_postmaster() {
  local pid_file="$folder/cluster/postmaster.pid" rest
  rm -f "$folder"/cluster/.s.PGSQL.*
  if [ -s "$pid_file" ]; then
    rest="$(tail -n +2 "$pid_file")"
    printf '%s\n%s\n' 2147483647 "$rest" >"$pid_file"
  fi
}

create_cluster() {
  local password_file
  rm -rf "$folder/cluster.new"
  new_password >"$folder/superuser-password"
  new_password >"$folder/password"
  chmod 600 "$folder/superuser-password" "$folder/password"
  mkdir -m 700 "$folder/cluster.new"
  password_file="$folder/cluster.password"
  install -m 600 "$folder/superuser-password" "$password_file"
  [ -z "$owner" ] || chown "$owner" "$folder/cluster.new" "$password_file"
  if ! as_owner "$programs/initdb" -D "$folder/cluster.new" -U postgres --pwfile="$password_file" \
    -E UTF8 --no-locale --lc-ctype="$(character_type)" --auth=scram-sha-256 --no-sync >>"$folder/postgres.log" 2>&1; then
    rm -f "$password_file"
    complain "initdb failed; the end of $folder/postgres.log:"
    tail -n 20 "$folder/postgres.log" | sed 's/^/  | /' >&2
    exit 1
  fi
  rm -f "$password_file" "$folder/roles-applied"
  echo "include 'tidewatch.conf'" >>"$folder/cluster.new/postgresql.conf"
  apply_roles "$folder/cluster.new"
  echo "CREATE DATABASE tidewatch OWNER tidewatch;" | single_user "$folder/cluster.new"
  # Only now is it complete: what was interrupted before begins anew.
  mv "$folder/cluster.new" "$folder/cluster"
}

# Sorting by bytes is the same on every machine; upper and lower case should know more than ASCII.
character_type() {
  if locale -a 2>/dev/null | grep -qix 'C.utf-\{0,1\}8'; then
    printf 'C.UTF-8\n'
  else
    printf 'C\n'
  fi
}

new_password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Applied again whenever roles.sql changes.
apply_roles() {
  local roles="$here/postgres/roles.sql" hash password
  hash="$(hash_of "$roles")"
  if [ -f "$folder/roles-applied" ] && [ "$(cat "$folder/roles-applied")" = "$hash" ]; then
    return 0
  fi
  password="$(cat "$folder/password")"
  sed -e '/^--/d' -e "s/:password/'$password'/" "$roles" | single_user "$1"
  echo "$hash" >"$folder/roles-applied"
}

# SQL by a server without a network: it needs neither psql nor a password. One statement after the other,
# each ended by an empty line; an error ends the server, and so the script.
single_user() {
  write_settings "$1"
  if ! { cat && echo; } | as_owner "$programs/postgres" --single -j -D "$1" -c exit_on_error=on \
    -c log_min_error_statement=panic postgres >>"$folder/postgres.log" 2>&1; then
    complain "A statement for the new cluster failed; the end of $folder/postgres.log:"
    tail -n 5 "$folder/postgres.log" | sed 's/^/  | /' >&2
    exit 1
  fi
}

rotate_log() {
  local size
  size="$(wc -c <"$folder/postgres.log")"
  if [ "$size" -gt 10000000 ]; then
    mv "$folder/postgres.log" "$folder/postgres.log.1"
    : >"$folder/postgres.log"
    [ -z "$owner" ] || chown "$owner" "$folder/postgres.log"
  fi
}

# The port is picked once and kept, so that addresses written down stay right; again only when it is taken.
pick_port() {
  if [ -s "$folder/port" ] && ! port_is_taken 127.0.0.1 "$(cat "$folder/port")"; then
    return 0
  fi
  free_port >"$folder/port"
}

# write_settings CLUSTER
write_settings() {
  local settings="$1/tidewatch.conf"
  {
    echo "# Written by scripts/postgres.sh at each start."
    echo "listen_addresses = '127.0.0.1'"
    [ ! -s "$folder/port" ] || echo "port = $(cat "$folder/port")"
    echo "unix_socket_directories = '$(socket_folder)'"
    echo "timezone = 'UTC'"
    echo "log_timezone = 'UTC'"
    echo "log_line_prefix = '%m [%p] %d '"
    if [ -n "$fast" ]; then
      echo "max_connections = 300"
      echo "fsync = off"
      echo "synchronous_commit = off"
      echo "full_page_writes = off"
    else
      echo "max_connections = 200"
    fi
  } >"$settings"
  [ -z "$owner" ] || chown "$owner" "$settings"
}

# A socket's path may have 107 bytes at the most; without a socket there is still TCP.
socket_folder() {
  local socket="$folder/cluster/.s.PGSQL.65535.lock"
  case "$folder" in *[\',]*) return 0 ;; esac
  if [ "$(printf '%s' "$socket" | wc -c)" -le 103 ]; then
    printf '%s\n' "$folder/cluster"
  fi
}

database_url() {
  if ! [ -s "$folder/port" ] || ! [ -s "$folder/$2" ]; then
    die "There is no PostgreSQL in $given yet; start it first."
  fi
  printf 'postgres://%s:%s@127.0.0.1:%s/tidewatch\n' "$1" "$(cat "$folder/$2")" "$(cat "$folder/port")"
}
