# What a shell has set for a server of its own is nothing to a server that a script starts. Sourced.
# shellcheck shell=bash

# forget_settings [NAME ...]: unsets every variable that the server and its tools read, but these.
forget_settings() {
  local name kept=" $* "
  for name in $(compgen -e | grep -E '^(TIDEWATCH|LEPTOS|OTEL|PG|SCHEMATHESIS)' || true); do
    case "$kept" in
      *" $name "*) ;;
      *) unset "$name" ;;
    esac
  done
  unset DATABASE_URL
}
