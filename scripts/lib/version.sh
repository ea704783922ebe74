# Comparing version numbers.
# shellcheck shell=bash

# at_least 1.96.0 1.96: true; only the first two numbers count. "15+248" is 15.
at_least() {
  local have_version="$1" need_version="$2" have_major have_minor=0 need_major need_minor=0
  have_major="${have_version%%[!0-9]*}" need_major="${need_version%%[!0-9]*}"
  [[ "$have_version" =~ ^[0-9]+\.([0-9]+) ]] && have_minor="${BASH_REMATCH[1]}"
  [[ "$need_version" =~ ^[0-9]+\.([0-9]+) ]] && need_minor="${BASH_REMATCH[1]}"
  [ -n "$have_major" ] && [ -n "$need_major" ] || return 1
  [ "$have_major" -gt "$need_major" ] ||
    { [ "$have_major" -eq "$need_major" ] && [ "$have_minor" -ge "$need_minor" ]; }
}

# The first version number in a line such as "v20.1.0" or "PostgreSQL 15.8 (Debian)".
version_in() {
  [[ "$1" =~ [0-9]+(\.[0-9]+)* ]] && printf '%s\n' "${BASH_REMATCH[0]}"
}
