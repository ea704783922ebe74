# Files of KEY=value lines.
# shellcheck shell=bash

# load_env FILE: sets what the environment does not set already. The file is read, not run.
load_env() {
  local key value
  [ -f "$1" ] || return 0
  while IFS='=' read -r key value || [ -n "$key" ]; do
    key="${key#export }"
    [[ "$key" =~ ^[A-Za-z_][A-Za-z0-9_]*$ ]] || continue
    [ -z "${!key+set}" ] || continue
    export "$key=$(unquoted "$value")"
  done <"$1"
}

# env_value FILE KEY
env_value() { unquoted "$(sed -n "s/^\(export \)\{0,1\}$2=//p" "$1" 2>/dev/null | tail -n 1)"; }

unquoted() {
  local value="$1"
  case "$value" in
    \"*\") value="${value#\"}" value="${value%\"}" ;;
    \'*\') value="${value#\'}" value="${value%\'}" ;;
  esac
  printf '%s\n' "$value"
}
