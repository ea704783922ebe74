#!/usr/bin/env bash
# check-docs.sh: whether links, anchors, pictures and code of all documents are right (check-docs.mjs says how it looks), after
# the check itself has shown that it finds each kind of mistake.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
cd "$TIDEWATCH_ROOT"
mkdir -p "$TIDEWATCH_DATA"

node --test "$here/check-docs.test.mjs" >"$TIDEWATCH_DATA/check-docs.log" 2>&1 || {
  grep -B 2 -A 25 '^not ok' "$TIDEWATCH_DATA/check-docs.log" >&2 || cat "$TIDEWATCH_DATA/check-docs.log" >&2
  die "scripts/check-docs.mjs does not find what it should find."
}
node "$here/check-docs.mjs" || die "Documents say what is not so."
