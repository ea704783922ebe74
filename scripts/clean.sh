#!/usr/bin/env bash
# clean.sh (make clean): stops everything and removes .data/ (databases, logs, the built program) and the built site.
# Compiled dependencies and tools stay: they belong to all clones.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"

"$here/stop.sh"
for cluster in postgres test-postgres; do
  "$here/postgres.sh" remove "$TIDEWATCH_DATA/$cluster"
done
rm -rf "$TIDEWATCH_DATA" "$TIDEWATCH_ROOT/target/site" \
  "$TIDEWATCH_ROOT/end2end/test-results" "$TIDEWATCH_ROOT/end2end/playwright-report"
