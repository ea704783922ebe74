#!/usr/bin/env bash
# banner.sh DEMO-ENV: where Tidewatch is and who may sign in.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/envfile.sh
. "$here/lib/envfile.sh"

lines=(
  "Tidewatch is up:  $TIDEWATCH_URL"
  ""
)
# Each PREFIX_EMAIL of the file with its PREFIX_PASSWORD.
while IFS= read -r key; do
  role="${key#TIDEWATCH_}" role="${role%EMAIL}" role="${role%_}"
  role="$(printf '%s' "${role:-operator}" | tr '[:upper:]_' '[:lower:] ')"
  lines+=("$(printf '%-12s %s / %s' "$role" "$(env_value "$1" "$key")" "$(env_value "$1" "${key%EMAIL}PASSWORD")")")
done < <(sed -n 's/^\(export \)\{0,1\}\(TIDEWATCH_[A-Z0-9_]*EMAIL\)=.*/\2/p' "$1")
lines+=(
  "$(printf '%-12s %s' "API key" "$(env_value "$1" TIDEWATCH_API_KEY)")"
  ""
  "All of it stands in .data/demo.env, the logs in .data/log/."
  "Ctrl-C stops everything."
)

width=0
for line in "${lines[@]}"; do
  [ "${#line}" -le "$width" ] || width=${#line}
done
rule="$(printf '%*s' $((width + 4)) '' | sed 's/ /─/g')"

printf '\n%s╭%s╮%s\n' "$GREEN" "$rule" "$PLAIN"
for line in "${lines[@]}"; do
  printf '%s│%s  %-*s  %s│%s\n' "$GREEN" "$PLAIN" "$width" "$line" "$GREEN" "$PLAIN"
done
printf '%s╰%s╯%s\n\n' "$GREEN" "$rule" "$PLAIN"
