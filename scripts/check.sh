#!/usr/bin/env bash
# check.sh [all|native|wasm] (make check): formatting, lints, shell scripts, directions of the dependencies, links and code of the
# documents, and whether alerts, dashboard and docs speak of metrics that there are.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
# shellcheck source=scripts/lib/long.sh
. "$here/lib/long.sh"
# shellcheck source=scripts/lib/steps.sh
. "$here/lib/steps.sh"
stop_long_when_interrupted

cd "$TIDEWATCH_ROOT"
part="${1:-all}"
case "$part" in
  all | native | wasm) ;;
  *) die "usage: check.sh [all|native|wasm]" ;;
esac

# shellcheck disable=SC2317 # called through take_step
shell_scripts() {
  shellcheck --external-sources --source-path=SCRIPTDIR/.. --source-path=. \
    scripts/*.sh scripts/lib/*.sh scripts/postgres/*.sh scripts/setup/*.sh deploy/docker/*.sh .ci/run
}

# shellcheck disable=SC2317 # called through take_step
clippy_wasm() {
  cargo clippy --target "$WASM_TARGET" -p tidewatch-frontend -p tidewatch-app -p tidewatch-events \
    --features tidewatch-app/hydrate -- -D warnings
}

"$here/setup.sh" check
need_toolchain
begin_steps check
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  export CARGO_TERM_COLOR=always
fi

if [ "$part" != wasm ]; then
  if cargo fmt --version >/dev/null 2>&1; then
    take_step format "Formatting" cargo fmt --all --check
  else
    leave_out "Formatting" "this toolchain has no rustfmt (rustup component add rustfmt, or the package rustfmt-web)"
  fi
  if have shellcheck; then
    take_step shell "Shell scripts" shell_scripts
  else
    leave_out "Shell scripts" "shellcheck is not installed"
  fi
  take_step dependencies "Directions of the dependencies" "$here/check-dependencies.sh"
  take_step docs "Links, pictures and code of the documents" "$here/check-docs.sh"
  if have jq; then
    take_step metrics "Metrics of the server, alerts and dashboard" "$here/check-metrics.sh"
  else
    leave_out "Metrics of the server, alerts and dashboard" "jq is not installed"
  fi
fi
if ! cargo clippy --version >/dev/null 2>&1; then
  leave_out "Lints" "this toolchain has no clippy (rustup component add clippy, or the package rust-web-clippy)"
else
  if [ "$part" != wasm ]; then
    take_step clippy-native "Lints of the server and the libraries" \
      cargo clippy --workspace --exclude tidewatch-frontend --all-targets -- -D warnings
  fi
  if [ "$part" != native ]; then
    take_step clippy-wasm "Lints of what runs in the browser" clippy_wasm
  fi
fi
end_steps
