# A row of steps, each with a title and its time, all of them tried, and a table at the end.
# shellcheck shell=bash

STEPS_LOGS=''
STEPS_TABLE=() # "result|seconds|title"
STEPS_BROKEN=() # logs of the steps that failed
STEPS_PASSED=0 # single tests, as the runners count them
STEPS_FAILED=0
STEPS_FLAKY='' # names of tests that passed at a second try only

# begin_steps NAME: logs go to .data/log/NAME/.
begin_steps() {
  STEPS_LOGS="$TIDEWATCH_DATA/log/$1"
  rm -rf "$STEPS_LOGS"
  mkdir -p "$STEPS_LOGS"
}

# take_step NAME TITLE COMMAND...: shows the output and keeps it; a failure does not end the script.
take_step() {
  local name="$1" text="$2" log="$STEPS_LOGS/$1.log" started=$SECONDS status=0 passed failed
  shift 2
  printf '\n'
  title "── $text"
  set -m # a group of its own, so that a signal can end all of it at once
  (
    set -o pipefail
    "$@" 2>&1 </dev/null | tee "$log"
  ) &
  LONG_PID=$!
  set +m
  wait "$LONG_PID" || status=$?
  LONG_PID=''
  passed="$(count_of passed "$log")" failed="$(count_of failed "$log")"
  # What failed first and passed when it was tried once more is told by its name, below.
  if [ "$status" -eq 0 ]; then
    failed=0
  fi
  # A step that fails without a count (nothing compiled, say) counts as one failure.
  if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    failed=1
  fi
  STEPS_PASSED=$((STEPS_PASSED + passed))
  STEPS_FAILED=$((STEPS_FAILED + failed))
  STEPS_FLAKY+="$(flaky_of "$log")"
  if [ "$status" -eq 0 ]; then
    STEPS_TABLE+=("passed|$((SECONDS - started))|$text")
  else
    STEPS_TABLE+=("FAILED|$((SECONDS - started))|$text")
    STEPS_BROKEN+=("$log")
    complain "failed: $name (whole output: $log)"
  fi
}

# without_colors LOG: its text alone.
without_colors() { sed -e $'s/\033\\[[0-9;?]*[A-Za-z]//g' "$1"; }

# what_failed LOG: what went wrong, in few lines, for whoever sees only the end of the output.
what_failed() {
  without_colors "$1" |
    grep -E -A 8 "panicked at|^error(\[|:)|^ +[0-9]+\) \[|^ +(Test timeout|Error:|[A-Za-z]+Error:)" | head -80
}

# leave_out TITLE REASON: a step that cannot be taken here.
leave_out() {
  printf '\n'
  title "── $1"
  warn "left out: $2"
  STEPS_TABLE+=("left out|0|$1: $2")
}

# count_of passed|failed LOG: summed over cargo's and Playwright's closing lines.
count_of() {
  without_colors "$2" | awk -v what="$1" '
    /^test result: / { for (i = 2; i <= NF; i++) if ($i == what ";") sum += $(i - 1) }
    /^ +[0-9]+ (passed|failed|flaky|interrupted)( \(|$)/ {
      kind = $2
      if (kind == "flaky") kind = "passed"
      if (kind == "interrupted") kind = "failed"
      if (kind == what) sum += $1
    }
    END { print sum + 0 }'
}

# flaky_of LOG: the tests that Playwright, or test_rust, calls flaky, one a line.
flaky_of() {
  without_colors "$1" | awk '
    /^ +[0-9]+ [a-z ]+( \(|$)/ { within = $2 == "flaky"; next }
    within && NF { sub(/^ +/, ""); sub(/ [^ -~]+$/, ""); print "  " $0 }'
}

# Ends the script: 0 when no step failed.
end_steps() {
  local log line result seconds text bad=0 color
  for log in ${STEPS_BROKEN[@]+"${STEPS_BROKEN[@]}"}; do
    printf '\n'
    title "── What failed, by $log"
    what_failed "$log" || true
  done
  printf '\n'
  title "── Summary"
  for line in "${STEPS_TABLE[@]}"; do
    IFS='|' read -r result seconds text <<<"$line"
    case "$result" in
      passed) color="$GREEN" ;;
      FAILED) color="$RED" bad=1 ;;
      *) color="$YELLOW" ;;
    esac
    printf '  %s%-8s%s %5d s  %s\n' "$color" "$result" "$PLAIN" "$seconds" "$text"
  done
  if [ -n "$STEPS_FLAKY" ]; then
    printf '\n'
    title "── Passed only when tried once more: look into these"
    printf '%s\n' "$STEPS_FLAKY"
  fi
  printf '%d %d\n' "$STEPS_PASSED" "$STEPS_FAILED" >"$STEPS_LOGS/counts"
  if [ $((STEPS_PASSED + STEPS_FAILED)) -gt 0 ]; then
    printf '\n%d passed, %d failed\n' "$STEPS_PASSED" "$STEPS_FAILED"
  fi
  exit "$bad"
}
