#!/usr/bin/env bash
# postgres.sh COMMAND DATA-DIR: a PostgreSQL of the project's own, beside whatever else the machine runs.
#   start [--fast]   starts it (creates it the first time) and waits until it answers; --fast is for tests
#   stop             stops it
#   status           says whether it runs; exit 3 when it does not
#   pid              the process id of its server
#   url              the DATABASE_URL of the application's role
#   admin-url        the same for the superuser
#   psql             a session (more arguments go to psql)
#   remove           stops it and deletes its data
# The folder keeps: cluster/, port, password, superuser-password, postgres.log.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/find.sh
. "$here/lib/find.sh"
# shellcheck source=scripts/lib/hash.sh
. "$here/lib/hash.sh"
# shellcheck source=scripts/lib/lock.sh
. "$here/lib/lock.sh"
# shellcheck source=scripts/lib/port.sh
. "$here/lib/port.sh"
# shellcheck source=scripts/postgres/place.sh
. "$here/postgres/place.sh"
# shellcheck source=scripts/postgres/cluster.sh
. "$here/postgres/cluster.sh"

usage() { die "usage: postgres.sh start|stop|status|pid|url|admin-url|psql|remove DATA-DIR [--fast]"; }

[ $# -ge 2 ] || usage
command="$1"
case "$2" in /*) given="$2" ;; *) given="$PWD/$2" ;; esac
shift 2

fast=''
if [ "${1:-}" = --fast ]; then
  fast=1
fi

choose_owner
locate "$given"

case "$command" in
  start)
    prepare_folder
    lock "$folder/lock" "Another script is starting this PostgreSQL; waiting for it."
    start_cluster
    ;;
  stop) stop_cluster ;;
  status)
    if is_running; then
      say "PostgreSQL runs on 127.0.0.1:$(cat "$folder/port")."
    else
      say "PostgreSQL is stopped."
      exit 3
    fi
    ;;
  pid)
    is_running || die "PostgreSQL is stopped."
    head -n 1 "$folder/cluster/postmaster.pid"
    ;;
  url) database_url tidewatch password ;;
  admin-url) database_url postgres superuser-password ;;
  psql)
    psql="$(command -v psql || true)"
    [ -n "$psql" ] || die "psql is not installed; the address is: $(database_url tidewatch password)"
    exec "$psql" "$(database_url tidewatch password)" "$@"
    ;;
  remove)
    stop_cluster
    rm -rf "$folder" "$given"
    ;;
  *) usage ;;
esac
