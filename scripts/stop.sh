#!/usr/bin/env bash
# stop.sh (make stop): ends what `make run` or `make dev` started in this clone, also when they were killed.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/process.sh
. "$here/lib/process.sh"
# shellcheck source=scripts/lib/only-one.sh
. "$here/lib/only-one.sh"

# A pid out of a file may be anyone's by now: only a process that runs this very program is ended.
end_program() {
  local pid
  if read -r pid 2>/dev/null <"$1" && [ "$(readlink "/proc/$pid/exe" 2>/dev/null || ps -p "$pid" -o comm= 2>/dev/null)" != '' ]; then
    case "$(readlink "/proc/$pid/exe" 2>/dev/null || ps -p "$pid" -o comm= 2>/dev/null)" in
      "$TIDEWATCH_DATA"/*tidewatch*)
        say "Stopping process $pid (${1##*/})"
        end_process "$pid" 10
        ;;
    esac
  fi
  rm -f "$1"
}

if read -r pid name 2>/dev/null <"$ONLY_ONE_FILE" && is_our_script "$pid"; then
  say "Stopping make $name (process $pid)"
  end_process "$pid" 30
fi
rm -f "$ONLY_ONE_FILE"
end_program "$TIDEWATCH_DATA/simulator.pid"
end_program "$TIDEWATCH_DATA/server.pid"
for cluster in postgres test-postgres; do
  "$here/postgres.sh" stop "$TIDEWATCH_DATA/$cluster"
done
rm -f "$TIDEWATCH_DATA/postgres.started"
