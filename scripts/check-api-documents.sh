#!/usr/bin/env bash
# check-api-documents.sh [URL]: whether validators that know nothing of Tidewatch find the OpenAPI and the AsyncAPI document
# valid, with every example in them. Without URL the documents come out of the source, with it from the server that runs there.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
cd "$TIDEWATCH_ROOT"

url="${1:-}"
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT

have node || die "node is not installed: scripts/setup.sh says how to get it"
[ -d end2end/node_modules/@asyncapi/parser ] || (cd end2end && npm ci --no-audit --no-fund)

if [ -n "$url" ]; then
  for name in openapi asyncapi; do
    curl --fail --silent --show-error --output "$folder/$name.json" "${url%/}/api/$name.json"
  done
else
  need_toolchain
  API_DOCUMENTS="$folder" cargo test --quiet -p tidewatch-server --lib api_documents
fi

broken=0
node end2end/check-documents.mjs "$folder/openapi.json" "$folder/asyncapi.json" || broken=1
# Its rules go beyond the specification: each example is held against its schema.
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
  redocly lint --config end2end/redocly.yaml "$folder/openapi.json" || broken=1

[ "$broken" -ne 0 ] || good "Both documents of the API are valid."
exit "$broken"
