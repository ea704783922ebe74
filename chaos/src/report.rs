//! What was broken, and what became of it.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::Options;
use crate::judge::Verdict;
use crate::world::Usage;

/// What became of a fault.
#[derive(Debug, Default, Clone)]
pub struct Outcome {
    /// What readers received; `None`, where that could not be found out.
    pub verdict: Option<Verdict>,
    /// How long it took behind the fault's end until every watching reader had a new event.
    pub recovered: Option<Duration>,
    /// Streams that were opened.
    pub connected: u64,
    /// Connections that were refused, or answered with something else.
    pub refused: u64,
    /// Streams that ended without a word.
    pub broken: u64,
    /// What was used before, and afterwards.
    pub usage: Option<(Usage, Usage)>,
    /// What else there is to say.
    pub notes: Vec<String>,
    /// Why it could not be run to its end.
    pub error: Option<String>,
}

impl Outcome {
    /// It could not be run.
    #[must_use]
    pub fn failed(error: &anyhow::Error) -> Self {
        Self { error: Some(format!("{error:#}")), ..Self::default() }
    }

    fn is_left_out(&self) -> bool {
        self.error.as_deref().is_some_and(|error| error.starts_with("left out"))
    }

    fn is_good(&self) -> bool {
        self.is_left_out() || (self.error.is_none() && self.verdict.as_ref().is_some_and(Verdict::is_good))
    }

    /// In one line.
    #[must_use]
    pub fn line(&self) -> String {
        let mut line = String::new();
        if let Some(error) = &self.error {
            return error.clone();
        }
        if let Some(it) = &self.verdict {
            let _ = write!(
                line,
                "{} readers, {} events: {} missing, {} surplus, {} out of order, {} urgent again; worst {:.2} s; ",
                it.readers,
                it.expected,
                it.missing,
                it.surplus,
                it.disordered,
                it.urgent_again,
                it.worst.as_secs_f64()
            );
        }
        let recovered = self.recovered.unwrap_or_default().as_secs_f64();
        let _ = write!(
            line,
            "recovered in {recovered:.2} s; {} streams, {} refused, {} broken; {}",
            self.connected,
            self.refused,
            self.broken,
            self.notes.join("; ")
        );
        line
    }
}

/// The report.
#[derive(Debug)]
pub struct Report {
    options: Options,
    path: PathBuf,
    rows: Vec<(String, String, Outcome)>,
    verified: Option<Result<(), String>>,
}

impl Report {
    /// Nothing was run yet.
    #[must_use]
    pub fn new(options: &Options) -> Self {
        Self { options: options.clone(), path: options.report.clone(), rows: Vec::new(), verified: None }
    }

    /// A fault was run.
    pub fn add(&mut self, name: &str, what: String, outcome: Outcome) {
        self.rows.push((name.to_owned(), what, outcome));
    }

    /// The tables were compared with the events in the end.
    pub fn verified(&mut self, error: Option<&anyhow::Error>) {
        self.verified = Some(error.map_or(Ok(()), |error| Err(format!("{error:#}"))));
    }

    /// Whether each fault ended as it should, and the tables say what the events say.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.rows.iter().all(|(_, _, outcome)| outcome.is_good()) && !matches!(self.verified, Some(Err(_)))
    }

    /// Writes it as far as it is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self) -> anyhow::Result<()> {
        std::fs::write(&self.path, self.text()).map_err(Into::into)
    }

    fn text(&self) -> String {
        let options = &self.options;
        let at = OffsetDateTime::now_utc().replace_nanosecond(0).ok().and_then(|at| at.format(&Rfc3339).ok());
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        let mut text = format!(
            "# What was broken, and what became of it\n\n\
             Written by `make chaos` at {}, on {cores} cores: 3 instances, {} readers, a simulator at {}/s, faults of {} s, \
             events by {:?}.\n\n\
             Each reader is on an instance at random and goes on where it was cut. *Missing*, *surplus* and *out of order* count \
             events over all readers, by comparison with the log; *worst* is the longest time between an event's own time and \
             its arrival anywhere; *recovered* is the time from the end of the fault until every reader of everything had an \
             event that was recorded behind it.\n\n\
             | fault | events due | missing | surplus | out of order | worst | recovered | memory, files, connections before → after |\n\
             |---|---|---|---|---|---|---|---|\n",
            at.unwrap_or_default(),
            options.readers,
            options.rate,
            options.seconds,
            options.broker,
        );
        for (name, _, outcome) in &self.rows {
            let Some(verdict) = &outcome.verdict else {
                let _ = writeln!(text, "| {name} | {} | | | | | | |", outcome.line());
                continue;
            };
            let usage = outcome.usage.map_or_else(String::new, |(before, after)| {
                let mib = |bytes: u64| bytes / (1024 * 1024);
                format!(
                    "{} MiB, {}, {} → {} MiB, {}, {}",
                    mib(before.memory),
                    before.files,
                    before.connections,
                    mib(after.memory),
                    after.files,
                    after.connections
                )
            });
            let _ = writeln!(
                text,
                "| {name} | {} | {} | {} | {} | {:.2} s | {:.2} s | {usage} |",
                verdict.expected,
                verdict.missing,
                verdict.surplus,
                verdict.disordered,
                verdict.worst.as_secs_f64(),
                outcome.recovered.unwrap_or_default().as_secs_f64()
            );
        }
        text.push('\n');
        for (name, what, outcome) in &self.rows {
            let _ = writeln!(text, "- **{name}**: {what}. {}.", outcome.line().trim_end_matches("; "));
        }
        match &self.verified {
            None => {}
            Some(Ok(())) => {
                text.push_str("\n`tidewatch verify` in the end: every table says what the events say.\n")
            }
            Some(Err(error)) => {
                let _ = writeln!(text, "\n`tidewatch verify` in the end:\n\n```text\n{error}\n```");
            }
        }
        text
    }
}
