# What fails in CI is tried once more, as Playwright does there, and the summary names it either way: a machine that is
# busy with something else has no time to look into it, and whoever reads the summary has.
# shellcheck shell=bash

AGAIN_MOST=5 # more failures than these are no accident

# test_rust ARGUMENTS...: cargo test; in CI the tests that failed are tried once more by their names.
test_rust() {
  local log="$STEPS_LOGS/rust-first.log" failed name
  local -a names=()
  (
    set -o pipefail
    cargo test "$@" 2>&1 | tee "$log"
  ) && return
  if [ -z "${CI:-}" ]; then
    return 1
  fi
  failed="$(count_of failed "$log")"
  while read -r name; do
    names+=("$name")
  done < <(without_colors "$log" | sed -n 's/^test \([A-Za-z0-9_:]*\) \.\.\. FAILED$/\1/p' | sort -u)
  # What did not compile, and code of documents, has no such name.
  if [ "$failed" -eq 0 ] || [ "$failed" -gt "$AGAIN_MOST" ] || [ "${#names[@]}" -ne "$failed" ]; then
    return 1
  fi
  remark "Once more what failed …"
  (
    set -o pipefail
    # It counts as one that passed, below, and not a second time.
    cargo test "$@" -- --exact "${names[@]}" 2>&1 | sed 's/^test result: /once more: /'
  ) || return 1
  # As Playwright says it: see flaky_of.
  printf '\n  %d flaky\n' "$failed"
  printf '    %s\n' "${names[@]}"
}
