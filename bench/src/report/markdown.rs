//! The report as Markdown.

use std::fmt::Write;

use super::{Check, Column, Machine, Notes, Record, RowSpec};
use crate::statistics::{Spread, ratio, spread};
use crate::systems::TIDEWATCH;

const INTRODUCTION: &str = "\
# Results

Written by `make bench`; do not edit. Prose about a row belongs in [NOTES.md](NOTES.md) and is repeated here; raw
values are in `results/`. What the rows mean and how they are measured: [README.md](README.md).

Values are medians of the runs, with the least and the greatest in brackets. Ratios are taken run by run, of what was
measured one after the other. CPU is utime + stime of all processes and threads of the server. Tidewatch's figures are
those of a durable, ordered and authorized publish (Postgres commit, relay, follower, each reader's rights); peers only
hold events in memory, except where a row says otherwise.
";

const LAST_RUN: &str = "\
As it was at the last run. Each row names the processor that it was measured on, and the command where that was kept.";

/// Writes the report.
///
/// # Errors
/// Never: writing to a text does not fail.
pub fn render(
    rows: &[(RowSpec, Option<Record>)],
    machine: Option<&Machine>,
    notes: &Notes,
) -> Result<String, std::fmt::Error> {
    let mut text = INTRODUCTION.to_owned();
    if let Some(machine) = machine {
        write_machine(&mut text, machine)?;
    }
    write_summary(&mut text, rows)?;
    for (spec, record) in rows {
        write_row(&mut text, spec, record.as_ref(), notes)?;
    }
    Ok(text)
}

fn write_machine(text: &mut String, machine: &Machine) -> std::fmt::Result {
    let Machine { processor, cores, memory_gib, kernel, placement, versions, command } = machine;
    writeln!(text, "\n## Where\n\n{LAST_RUN}\n\n| | |\n|---|---|")?;
    writeln!(text, "| processor | {processor}, {cores} cores, {memory_gib} GiB |\n| kernel | {kernel} |")?;
    writeln!(text, "| cores | {placement} |\n| command | `{command}` |")?;
    versions.iter().try_for_each(|(name, version)| writeln!(text, "| {name} | {version} |"))
}

fn write_summary(text: &mut String, rows: &[(RowSpec, Option<Record>)]) -> std::fmt::Result {
    writeln!(text, "\n## Targets\n\n| row | target | Tidewatch | |\n|---|---|---|---|")?;
    for (spec, record) in rows {
        for check in spec.checks {
            let what = column(spec, check).map_or(check.metric, |column| column.title);
            let of = if check.of == TIDEWATCH { String::new() } else { format!(" ({})", check.of) };
            let target = check.target.describe();
            let outcome = record.as_ref().and_then(|record| Some((record, check.outcome(record)?)));
            let (measured, verdict) = match outcome {
                Some((record, outcome)) => {
                    let verdict = if outcome.met { "met" } else { "**missed**" };
                    let quick = if record.quick { ", quick look" } else { "" };
                    (shown(outcome.measured, 2), format!("{verdict}{quick}"))
                }
                None => ("–".to_owned(), "not measured".to_owned()),
            };
            writeln!(text, "| {} | {what}{of}: {target} | {measured} | {verdict} |", spec.title)?;
        }
    }
    Ok(())
}

fn column<'a>(spec: &'a RowSpec, check: &Check) -> Option<&'a Column> {
    spec.columns.iter().find(|column| column.metric == check.metric)
}

fn write_row(text: &mut String, spec: &RowSpec, record: Option<&Record>, notes: &Notes) -> std::fmt::Result {
    writeln!(text, "\n## {}\n", spec.title)?;
    let Some(record) = record else {
        return writeln!(text, "Not measured yet.");
    };
    let quick = if record.quick { " **A quick look: short windows, small numbers.**" } else { "" };
    let Record { measured_at, commit, runs, processor, command, .. } = record;
    write!(text, "{measured_at} at `{commit}`, {runs} run(s)")?;
    if !processor.is_empty() {
        write!(text, ", on {processor}")?;
    }
    if !command.is_empty() {
        write!(text, ", by `{command}`")?;
    }
    writeln!(text, ".{quick}\n")?;
    write_table(text, spec, record)?;
    if !record.left_out.is_empty() || !record.warnings.is_empty() {
        writeln!(text)?;
    }
    for (system, reason) in &record.left_out {
        writeln!(text, "- Left out: {system}: {}", reason.replace('\n', " "))?;
    }
    for warning in &record.warnings {
        writeln!(text, "- {warning}")?;
    }
    writeln!(text, "\n**What the profile showed.** {}", notes.of(spec.id).unwrap_or("Nothing noted yet."))
}

fn write_table(text: &mut String, spec: &RowSpec, record: &Record) -> std::fmt::Result {
    let titles: Vec<&str> = spec.columns.iter().map(|column| column.title).collect();
    let is_compared = !spec.compared.is_empty();
    let (title, rule) = if is_compared { (" Tidewatch ÷ it |", "---|") } else { ("", "") };
    writeln!(text, "| | {} |{title}", titles.join(" | "))?;
    writeln!(text, "|---|{}{rule}", "---|".repeat(titles.len()))?;
    for system in &record.order {
        write!(text, "| {system} |")?;
        for column in spec.columns {
            let value = spread(record.values(system, column.metric));
            let cell = value.map_or_else(|| "–".to_owned(), |value| shown(value, column.decimals));
            write!(text, " {cell} |")?;
        }
        if !is_compared {
            writeln!(text)?;
            continue;
        }
        let compared = (system != TIDEWATCH)
            .then(|| ratio(record.values(TIDEWATCH, spec.compared), record.values(system, spec.compared)))
            .flatten();
        writeln!(text, " {} |", compared.map_or_else(String::new, |value| shown(value, 2)))?;
    }
    Ok(())
}

fn shown(value: Spread, decimals: usize) -> String {
    let Spread { median, least, greatest } = value;
    if format!("{least:.decimals$}") == format!("{greatest:.decimals$}") {
        return format!("{median:.decimals$}");
    }
    format!("{median:.decimals$} ({least:.decimals$}–{greatest:.decimals$})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Target;

    const SPEC: RowSpec = RowSpec {
        id: "row",
        title: "1. A row",
        columns: &[Column::new("cpu", "CPU, s", 2)],
        compared: "cpu",
        checks: &[Check { metric: "cpu", of: TIDEWATCH, target: Target::RatioAtMost("peer", 1.25) }],
    };

    #[test]
    fn a_row_has_its_table_its_verdict_and_its_prose() {
        let mut record = Record::new("row", 2);
        for (system, value) in [("peer", 1.0), (TIDEWATCH, 1.2), ("peer", 1.0), (TIDEWATCH, 1.4)] {
            record.add(system, "cpu", value);
        }
        record.leave_out("other", "it is not installed");
        let notes = Notes::parse("\n## row\nThe writes.");
        let text = render(&[(SPEC, Some(record))], None, &notes).expect("a report");
        for part in [
            "| 1. A row | CPU, s: at most 1.25 × peer | 1.30 (1.20–1.40) | **missed** |",
            "| peer | 1.00 | 1.30 (1.20–1.40) |",
            "| Tidewatch | 1.30 (1.20–1.40) |  |",
            "- Left out: other: it is not installed",
            "**What the profile showed.** The writes.",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }

    #[test]
    fn a_row_says_where_it_was_measured_and_how() {
        let of = |processor: &str, command: &str| {
            let (processor, command) = (processor.to_owned(), command.to_owned());
            let record = Record { commit: "abc".to_owned(), processor, command, ..Record::new("row", 2) };
            render(&[(SPEC, Some(record))], None, &Notes::default()).expect("a report")
        };
        let text = of("EPYC", "make bench RUNS=2");
        assert!(text.contains(" at `abc`, 2 run(s), on EPYC, by `make bench RUNS=2`.\n"), "{text}");
        let text = of("", "");
        assert!(text.contains(" at `abc`, 2 run(s).\n"), "{text}");
    }

    #[test]
    fn a_row_that_was_never_measured_says_so() {
        let text = render(&[(SPEC, None)], None, &Notes::default()).expect("a report");
        assert!(text.contains("Not measured yet."));
    }
}
