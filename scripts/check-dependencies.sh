#!/usr/bin/env bash
# check-dependencies.sh: which crate may depend on which. Normal and build dependencies count, with all features;
# those of tests do not.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
need_toolchain
cd "$TIDEWATCH_ROOT"

# Lines "CRATE DEPENDENCY".
tree="$(cargo tree --quiet --workspace --all-features --target all --edges normal,build \
  --depth 1 --prefix depth --no-dedupe --format ' {p}')"
direct="$(awk '$1 == "0" { crate = $2 } $1 == "1" { print crate, $2 }' <<<"$tree")"
crates="$(awk '$1 == "0" { print $2 }' <<<"$tree")"
# Programs with modules of one's own.
programs="$(awk -v folder="($TIDEWATCH_ROOT/examples/" '$1 == "0" && index($0, folder) { print $2 }' <<<"$tree")"

broken=0

complain_about() {
  complain "$1 depends on $2: $3"
  broken=1
}

dependencies_of() { awk -v crate="$1" '$1 == crate { print $2 }' <<<"$direct"; }

exists() { grep -qx "$1" <<<"$crates"; }

# within CRATE REASON [ALLOWED...]: of the crates of this workspace, only these.
within() {
  local crate="$1" reason="$2" dependency
  shift 2
  for dependency in $(dependencies_of "$crate" | grep '^tidewatch-' || true); do
    case " $* " in
      *" $dependency "*) ;;
      *) complain_about "$crate" "$dependency" "$reason" ;;
    esac
  done
}

# without CRATE REASON FORBIDDEN...: none of these, nor their families (leptos_router belongs to leptos).
without() {
  local crate="$1" reason="$2" dependency forbidden
  shift 2
  for dependency in $(dependencies_of "$crate"); do
    for forbidden in "$@"; do
      case "$dependency" in
        "$forbidden" | "$forbidden"-* | "$forbidden"_*) complain_about "$crate" "$dependency" "$reason" ;;
      esac
    done
  done
}

within tidewatch-events "the vocabulary stands alone."
without tidewatch-events "the vocabulary is pure and compiles for the browser." sqlx tokio axum hyper leptos reqwest

within tidewatch-listen "wake-ups stand alone, whatever they are about."
without tidewatch-listen "wake-ups know PostgreSQL, and neither HTTP nor pages." axum hyper tower-http leptos

within tidewatch-broker "brokers carry bytes, whatever they say."
without tidewatch-broker "brokers know neither PostgreSQL, HTTP nor pages." sqlx axum hyper tower-http leptos

within tidewatch-outbox "the outbox knows the vocabulary, wake-ups and what a broker is only." tidewatch-broker tidewatch-events tidewatch-listen
without tidewatch-outbox "the outbox knows PostgreSQL, and neither HTTP, pages nor any one broker." axum hyper tower-http leptos redis async-nats

within tidewatch-jobs "the queue knows the vocabulary and wake-ups only." tidewatch-events tidewatch-listen
without tidewatch-jobs "the queue knows PostgreSQL, and neither HTTP nor pages." axum hyper tower-http leptos

within tidewatch-webhooks "webhooks know what is sent and where, and not what it says."
without tidewatch-webhooks "webhooks know HTTP as a client, and neither SQL nor a server nor pages." sqlx axum tower-http leptos

within tidewatch-hub "the hub knows the vocabulary only." tidewatch-events
without tidewatch-hub "the hub knows neither SQL nor HTTP nor pages." sqlx axum hyper tower-http leptos

within tidewatch-modules "what a module is knows the vocabulary only." tidewatch-events
without tidewatch-modules "what a module is is pure and compiles for the browser." sqlx tokio axum hyper leptos reqwest

within tidewatch-client "clients know the vocabulary only, like anybody outside." tidewatch-events
without tidewatch-client "clients need neither a database nor a server." sqlx axum leptos

within tidewatch-app "pages reach the server through the port Backend only." tidewatch-events tidewatch-modules
without tidewatch-app "pages run in the browser too." sqlx tokio axum hyper

within tidewatch-frontend "the frontend hydrates the app and does nothing else." tidewatch-app tidewatch-events
without tidewatch-frontend "the frontend runs in the browser." sqlx tokio axum hyper

within tidewatch-bench "the benchmarks use outbox, jobs and the SDK, and know the server as a program only." \
  tidewatch-outbox tidewatch-jobs tidewatch-client tidewatch-events
within tidewatch-chaos "the suite breaks the server from outside, as a program." tidewatch-bench
without tidewatch-bench "the benchmarks measure the server from outside." leptos

for crate in $programs; do
  within "$crate" "a program of one's own is modules, and the server that shows them." \
    tidewatch-client tidewatch-events tidewatch-modules tidewatch-server
done

for crate in $crates; do
  if dependencies_of "$crate" | grep -qx tidewatch-server && ! grep -qx "$crate" <<<"$programs"; then
    complain_about "$crate" tidewatch-server "nothing depends on the server but programs in examples; it puts the others together."
  fi
done

# A rule about a crate that is gone would hold forever.
for crate in tidewatch-events tidewatch-broker tidewatch-listen tidewatch-outbox tidewatch-jobs tidewatch-webhooks tidewatch-hub tidewatch-client tidewatch-modules tidewatch-app \
  tidewatch-frontend tidewatch-server tidewatch-bench tidewatch-chaos; do
  if ! exists "$crate"; then
    complain "There is no crate $crate any more: its rules in scripts/check-dependencies.sh check nothing."
    broken=1
  fi
done

[ "$broken" -ne 0 ] || good "All dependencies run the right way."
exit "$broken"
