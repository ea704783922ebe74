#!/usr/bin/env bash
# check-metrics.sh: the metrics that the server registers, those of docs/operations.md, and those that alerts and dashboard ask
# for are the same, by names, types and labels; and each alert leads to a heading that is there. promtool, where it is installed,
# checks the rules and runs their tests.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)"
# shellcheck source=scripts/env.sh
. "$here/env.sh"
cd "$TIDEWATCH_ROOT"

page=docs/operations.md
alerts=deploy/prometheus/alerts.yaml
dashboard=deploy/grafana/tidewatch.json
# What Prometheus and this project's scraping add to every series.
added_labels='instance job le'
broken=0

problem() {
  complain "$*"
  broken=1
}

# Where metrics are registered.
sources() {
  local folder
  for folder in server/src/metrics.rs server/src/metrics; do
    [ ! -e "$folder" ] || find "$folder" -name '*.rs'
  done | LC_ALL=C sort
}

# Lines "NAME TYPE" of what the server registers: `register("name", "help", field.clone())`, the unit behind the name, the type
# out of the field's declaration.
registered() {
  sources | xargs cat | awk '
    # Above the first brace of a function, fields have types: `name: Gauge,`, `name: Family<…, Counter>,`.
    /^ *(pub(\([a-z]+\))? )?[a-z_]+: .*(Counter|Gauge|Histogram)/ {
      field = $0
      sub(/^ *(pub(\([a-z]+\))? )?/, "", field)
      sub(/:.*/, "", field)
      type[field] = /Counter/ ? "counter" : /Histogram/ ? "histogram" : "gauge"
    }
    /\.register(_with_unit)?\(/ { call = ""; within = 1 }
    within { call = call $0 }
    within && /\);/ {
      within = 0
      name = call
      sub(/^[^"]*"/, "", name)
      sub(/".*/, "", name)
      unit = call
      if (sub(/.*Unit::/, "", unit)) { sub(/[^A-Za-z].*/, "", unit); name = name "_" tolower(unit) }
      value = call
      sub(/\.clone\(\).*/, "", value)
      sub(/.*[^a-z_]/, "", value)
      if (call ~ /Info::new/) value = "info"
      calls[++count] = name " " value
    }
    END {
      for (number = 1; number <= count; number++) {
        split(calls[number], call_of, " ")
        kind = call_of[2] == "info" ? "info" : (call_of[2] in type) ? type[call_of[2]] : "unknown"
        print "tidewatch_" call_of[1] (kind == "counter" ? "_total" : kind == "info" ? "_info" : "") " " kind
      }
    }' | LC_ALL=C sort
}

# Names of labels anywhere in the source: `get_or_create(&[("name", …)])`, and fields of what derives EncodeLabelSet.
labels_in_source() {
  sources | xargs cat | awk '
    {
      line = $0
      if (!match(line, /(get_or_create\(&|Info::new\()\[[^]]*\]/)) line = ""
      while (match(line, /\("[a-z_]+", /)) {
        print substr(line, RSTART + 2, RLENGTH - 5)
        line = substr(line, RSTART + RLENGTH)
      }
    }
    /derive\(.*EncodeLabelSet/ { set = 1 }
    set && /^ *(pub )?[a-z_]+: / { field = $0; sub(/^ *(pub )?/, "", field); sub(/:.*/, "", field); print field }
    set && /^}/ { set = 0 }' | LC_ALL=C sort -u
}

# Lines "NAME TYPE LABEL…" of the table of metrics.
documented() {
  awk -F '|' '/^\| `tidewatch_/ {
    gsub(/[` ]/, "", $2); gsub(/ /, "", $3); gsub(/[`,]/, " ", $4)
    if ($4 ~ /—/) $4 = ""
    print $2, $3, $4
  }' "$page" | LC_ALL=C sort
}

# Expressions: those of the alerts, and the dashboard's.
expressions() {
  case "$1" in
    *.json) jq -r '.. | objects | (.expr?, .query?.query?, .definition?) | strings' "$1" ;;
    *) sed 's/#.*//' "$1" ;;
  esac
}

# Lines "NAME LABEL…" of the series that a file asks for.
asked() {
  expressions "$1" | tr '\n' ' ' | awk '{
    line = $0
    while (match(line, /tidewatch_[a-z_]+/)) {
      name = substr(line, RSTART, RLENGTH)
      line = substr(line, RSTART + RLENGTH)
      labels = ""
      if (line ~ /^\{/) {
        inside = substr(line, 2, index(line, "}") - 2)
        gsub(/"[^"]*"/, "", inside)
        gsub(/[=~!]+/, "", inside)
        gsub(/,/, " ", inside)
        labels = inside
      }
      print name, labels
    }
  }' | tr -s ' ' | LC_ALL=C sort -u
}

# What series are grouped by: labels of any metric.
grouped() {
  expressions "$1" | grep -oE '\<(by|without|on|ignoring) *\([a-z_, ]*\)' | grep -oE '\([a-z_, ]*\)' | tr -d '(),' | tr ' ' '\n' |
    grep . | LC_ALL=C sort -u || true
}

# The series of a metric: a histogram has three.
series_of() {
  case "$2" in
    histogram) printf '%s\n' "$1_bucket" "$1_sum" "$1_count" ;;
    *) printf '%s\n' "$1" ;;
  esac
}

in_words() { case " $2 " in *" $1 "*) return 0 ;; *) return 1 ;; esac }

table="$(documented)"
source_metrics="$(registered)"
source_labels="$(labels_in_source | tr '\n' ' ')"
[ -n "$source_metrics" ] || die "No metric was found in $(sources | tr '\n' ' '): this script no longer reads them right."

# The page against the source, both ways.
while read -r name type; do
  [ "$type" != unknown ] || problem "$name: this script cannot tell its type."
  grep -q "^$name $type\( \|$\)" <<<"$table" || problem "$name, a $type of the server, is not in the table of $page."
done <<<"$source_metrics"
while read -r name type labels; do
  [ -n "$name" ] || continue
  grep -qx "$name $type" <<<"$source_metrics" || problem "$page has $name, a $type, and the server has not."
  for label in $labels; do
    in_words "$label" "$source_labels" || problem "$page gives $name the label $label, and the server gives no metric such a one."
  done
done <<<"$table"

documented_labels="$(cut -s -d ' ' -f 3- <<<"$table" | tr '\n' ' ')"
for label in $source_labels; do
  in_words "$label" "$documented_labels" || problem "The server gives a metric the label $label, and $page has none with it."
done

# Alerts and dashboard against the page.
known="$(while read -r name type labels; do
  for series in $(series_of "$name" "$type"); do
    echo "$series $labels"
  done
done <<<"$table")"
for file in "$alerts" "$dashboard"; do
  series="$(asked "$file")"
  [ -n "$series" ] || problem "$file asks for no metric of Tidewatch."
  while read -r name labels; do
    if ! allowed="$(grep "^$name\( \|$\)" <<<"$known")"; then
      problem "$file asks for $name, which the server does not have."
      continue
    fi
    for label in $labels; do
      in_words "$label" "$allowed $added_labels" || problem "$file asks for $name by the label $label, which it does not have."
    done
  done <<<"$series"
  for label in $(grouped "$file"); do
    in_words "$label" "$source_labels $added_labels" || problem "$file groups by $label, which no metric has."
  done
done

# What the alerts lead to.
headings="$(sed -n 's/^#\{1,6\} //p' "$page" | tr '[:upper:] ' '[:lower:]-' | tr -cd 'a-z0-9_\n-')"
while read -r anchor; do
  grep -qx -- "$anchor" <<<"$headings" || problem "$alerts leads to #$anchor, and $page has no such heading."
done < <(sed -n "s|^ *runbook_url: .*/$page#||p" "$alerts")
rules="$(grep -c '^ *- alert: ' "$alerts")"
[ "$rules" -eq "$(grep -c "^ *runbook_url: .*/$page#." "$alerts")" ] || problem "An alert of $alerts leads nowhere."
while read -r name; do
  grep -q "\"$name\"\|: $name\$" deploy/prometheus/alerts.test.yaml || problem "The alert $name has no test in alerts.test.yaml."
done < <(sed -n 's/^ *- alert: //p' "$alerts")

jq -e '(.uid | strings) and (.title | strings) and ([.panels[].id] | length == (unique | length))' "$dashboard" >/dev/null ||
  problem "$dashboard is no dashboard with a uid, a title and panels of their own ids."

if have promtool; then
  promtool check rules "$alerts" || broken=1
  promtool check config deploy/prometheus/prometheus.yaml || broken=1
  promtool test rules deploy/prometheus/alerts.test.yaml || broken=1
else
  warn "left out: promtool is not installed"
fi

[ "$broken" -ne 0 ] || good "$(wc -l <<<"$source_metrics") metrics, $rules alerts and the dashboard speak of the same."
exit "$broken"
