#!/usr/bin/env bash
# test.sh [all|rust|browser|screens] (make test): the tests, with a PostgreSQL and ports of their own. A `make run` in
# the same clone may go on meanwhile. `screens` (make screenshots) takes pictures of every page instead.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/again.sh
. "$here/lib/again.sh"
# shellcheck source=scripts/lib/find.sh
. "$here/lib/find.sh"
# shellcheck source=scripts/lib/hash.sh
. "$here/lib/hash.sh"
# shellcheck source=scripts/lib/lock.sh
. "$here/lib/lock.sh"
# shellcheck source=scripts/lib/long.sh
. "$here/lib/long.sh"
# shellcheck source=scripts/lib/process.sh
. "$here/lib/process.sh"
# shellcheck source=scripts/lib/dist.sh
. "$here/lib/dist.sh"
# shellcheck source=scripts/lib/settings.sh
. "$here/lib/settings.sh"
# shellcheck source=scripts/lib/steps.sh
. "$here/lib/steps.sh"

cd "$TIDEWATCH_ROOT"
part="${1:-all}"
database="$TIDEWATCH_DATA/test-postgres"
dist="$TIDEWATCH_DATA/test-dist"

case "$part" in
  all | rust | browser | screens) ;;
  *) die "usage: test.sh [all|rust|browser|screens]" ;;
esac

# shellcheck disable=SC2317 # called by a trap
stop_all() {
  local status=$?
  trap '' INT TERM HUP
  trap - EXIT
  stop_long
  end_process "$SCRIPT" 10
  "$here/postgres.sh" stop "$database" || true
  exit "$status"
}

# shellcheck disable=SC2317 # called through take_step
browser_tests() {
  cd "$TIDEWATCH_ROOT/end2end" && node_modules/.bin/tsc --noEmit && node_modules/.bin/playwright test --reporter=list
}

# shellcheck disable=SC2317 # called through take_step
take_screenshots() {
  rm -rf "$TIDEWATCH_DATA/screenshots"
  export TIDEWATCH_SCREENS="$TIDEWATCH_DATA/screenshots"
  cd "$TIDEWATCH_ROOT/end2end" && node_modules/.bin/playwright test --config playwright.screens.config.ts --reporter=list
}

mkdir -p "$TIDEWATCH_DATA"
lock "$TIDEWATCH_DATA/test.lock" "Another make test is at work in this clone; waiting for it."
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
forget_settings TIDEWATCH_CHROMIUM TIDEWATCH_POSTGRES_BIN TIDEWATCH_SCREENS_OF TIDEWATCH_HERO_MINUTES

case "$part" in
  rust) run_script "$here/setup.sh" rust ;;
  *) run_script "$here/setup.sh" test ;;
esac
need_toolchain
begin_steps test
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  export CARGO_TERM_COLOR=always FORCE_COLOR=1
fi

remark "A PostgreSQL for the tests …"
"$here/postgres.sh" remove "$database" # what an earlier run left
"$here/postgres.sh" start "$database" --fast
DATABASE_URL="$("$here/postgres.sh" url "$database")"
export DATABASE_URL

if [ "$part" = all ] || [ "$part" = rust ]; then
  take_step dependencies "Directions of the dependencies" "$here/check-dependencies.sh"
  take_step rust "Rust tests" test_rust --workspace --exclude tidewatch-frontend --no-fail-fast
fi
if [ "$part" != rust ]; then
  take_step build "Build of server and site" "$here/build.sh" "$dist"
  if [ "$part" != screens ] && [ -x "$dist/tidewatch" ]; then
    take_step example "Build of the example with a module of its own" "$here/build-program.sh" parcels "$dist"
    export TIDEWATCH_PARCELS_BIN="$dist/parcels"
  fi
  if [ -x "$dist/tidewatch" ]; then
    use_dist "$dist"
    TIDEWATCH_BIN="$dist/tidewatch"
    TIDEWATCH_CHROMIUM="$(find_chromium)"
    export TIDEWATCH_BIN TIDEWATCH_CHROMIUM
    if [ "$part" = screens ]; then
      take_step screens "Screenshots into .data/screenshots" take_screenshots
    else
      take_step browser "Browser tests" browser_tests
    fi
  else
    leave_out "Browser tests" "the build failed"
  fi
fi
end_steps
