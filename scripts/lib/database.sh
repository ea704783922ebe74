# The database of `make run` and `make dev`: the one of DATABASE_URL, or a private cluster under .data/.
# shellcheck shell=bash

DATABASE_FOLDER="$TIDEWATCH_DATA/postgres"
DATABASE_MARK="$TIDEWATCH_DATA/postgres.started" # stands while a script is to stop the cluster at its end

start_database() {
  if [ -n "${DATABASE_URL:-}" ]; then
    say "Database: the one of DATABASE_URL."
    return 0
  fi
  mkdir -p "$TIDEWATCH_DATA"
  # A cluster that runs already belongs to whoever started it, unless that one was killed and left the mark.
  "$TIDEWATCH_ROOT/scripts/postgres.sh" status "$DATABASE_FOLDER" >/dev/null || : >"$DATABASE_MARK"
  "$TIDEWATCH_ROOT/scripts/postgres.sh" start "$DATABASE_FOLDER"
  DATABASE_URL="$("$TIDEWATCH_ROOT/scripts/postgres.sh" url "$DATABASE_FOLDER")"
  export DATABASE_URL
}

stop_database() {
  [ -e "$DATABASE_MARK" ] || return 0
  "$TIDEWATCH_ROOT/scripts/postgres.sh" stop "$DATABASE_FOLDER" || true
  rm -f "$DATABASE_MARK"
}
