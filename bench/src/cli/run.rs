//! `tidewatch-bench run` and `tidewatch-bench report`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::signal::unix::{SignalKind, signal};

use crate::clock::Clock;
use crate::context::{Context, Cores, Plan};
use crate::cores::run_on_core;
use crate::report::{Machine, Notes, Store, commit, render};
use crate::rows::Group;
use crate::systems::Database;

/// Files that a process may need: 10,000 connections and what else it opens.
const FILES: u64 = 12_000;

/// Measure rows and write the report.
#[derive(Debug, Args)]
pub(super) struct Run {
    /// Rows, with commas between them; all of them by default
    #[arg(long, value_enum, value_delimiter = ',')]
    rows: Vec<Group>,

    /// Runs of which the median counts
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=100))]
    runs: u64,

    /// Short windows and small numbers, for iterating
    #[arg(long)]
    quick: bool,

    /// Seconds for which 10,000 connections are held
    #[arg(long, default_value_t = 300)]
    hold_seconds: u64,

    /// Published events behind the pages
    #[arg(long)]
    pages_events: Option<u64>,

    /// Settlements behind the pages
    #[arg(long)]
    pages_settlements: Option<u64>,

    /// Open the pages of what an earlier run has left in this Postgres, in place of making it anew
    #[arg(long)]
    pages_again: bool,

    /// A Postgres in which databases may be made
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,

    /// The first process of that Postgres, for its CPU
    #[arg(long)]
    postgres_pid: Option<u32>,

    /// The binary `tidewatch`
    #[arg(long)]
    server: PathBuf,

    /// Say in the report that this binary was not built from what is checked out
    #[arg(long)]
    given_server: bool,

    /// The folder `bench` of the repository
    #[arg(long, default_value = "bench")]
    folder: PathBuf,

    /// Where logs go
    #[arg(long, default_value = ".data/bench")]
    run_folder: PathBuf,

    /// Core of the server under test
    #[arg(long, default_value = "0")]
    server_core: String,

    /// Core of the load generator
    #[arg(long, default_value = "1")]
    generator_core: String,

    /// Core of Postgres and Redis
    #[arg(long, default_value = "1")]
    helper_core: String,
}

/// Write the report anew out of what was measured before.
#[derive(Debug, Args)]
pub(super) struct Report {
    /// The folder `bench` of the repository
    #[arg(long, default_value = "bench")]
    folder: PathBuf,
}

impl Run {
    /// Measures, row by row; the report is written after each, so that an interrupted run leaves
    /// what it had.
    ///
    /// # Errors
    /// Tidewatch or the generator failed, or a signal ended the run.
    pub(super) fn carry_out(self) -> Result<()> {
        let open_files = allow_many_files()?;
        run_on_core(&self.generator_core)?;
        // One thread: it is pinned, and children die with it.
        tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt())?;
            let mut terminate = signal(SignalKind::terminate())?;
            // Whatever ends first: what was started is dropped, and so killed.
            tokio::select! {
                measured = self.measure(open_files) => measured,
                _ = interrupt.recv() => anyhow::bail!("interrupted"),
                _ = terminate.recv() => anyhow::bail!("told to end"),
            }
        })
    }

    async fn measure(&self, open_files: u64) -> Result<()> {
        let context = self.context(open_files)?;
        let store = Store::open(&self.folder.join("results"))?;
        let mut machine = Machine::look(&context, self.command());
        machine.versions.insert("Postgres".to_owned(), context.database.version().await?);
        store.keep_machine(&machine)?;
        let all = Group::value_variants();
        let rows = if self.rows.is_empty() { all } else { self.rows.as_slice() };
        let mut failed = Vec::new();
        for group in rows {
            tracing::info!(row = ?group, "measuring");
            let records = match group.measure(&context).await {
                Ok(records) => records,
                Err(error) => {
                    tracing::error!(row = ?group, "failed: {error:#}");
                    failed.push(format!("{group:?}"));
                    continue;
                }
            };
            for mut record in records {
                record.quick = context.plan.quick;
                record.measured_at = now();
                record.commit = commit();
                record.processor.clone_from(&machine.processor);
                record.command.clone_from(&machine.command);
                if self.given_server && group.runs_server() {
                    record.warn("The server was a given binary, not one built from this commit.".to_owned());
                }
                store.keep(&record)?;
            }
            write_report(&self.folder)?;
        }
        anyhow::ensure!(failed.is_empty(), "these rows failed: {}", failed.join(", "));
        Ok(())
    }

    fn context(&self, open_files: u64) -> Result<Context> {
        let runs = usize::try_from(self.runs)?;
        let absolute =
            |path: &Path| path.canonicalize().with_context(|| format!("{} is missing", path.display()));
        std::fs::create_dir_all(&self.run_folder)?;
        Ok(Context {
            clock: Arc::new(Clock::start()),
            plan: self.plan(runs),
            cores: Cores {
                server: self.server_core.clone(),
                generator: self.generator_core.clone(),
                helper: self.helper_core.clone(),
            },
            database: Database { url: self.database_url.clone(), postgres: self.postgres_pid },
            server_program: absolute(&self.server)?,
            this_program: std::env::current_exe()?,
            bench_folder: absolute(&self.folder)?,
            run_folder: absolute(&self.run_folder)?,
            open_files,
        })
    }

    fn plan(&self, runs: usize) -> Plan {
        let mut plan = if self.quick {
            Plan::quick(runs)
        } else {
            Plan::full(runs, Duration::from_secs(self.hold_seconds))
        };
        plan.pages.events = self.pages_events.unwrap_or(plan.pages.events);
        plan.pages.settlements = self.pages_settlements.unwrap_or(plan.pages.settlements);
        plan.pages_again = self.pages_again;
        plan
    }

    /// As one would type it.
    fn command(&self) -> String {
        let mut command = format!("make bench RUNS={}", self.runs);
        if self.quick {
            command.push_str(" QUICK=1");
        } else {
            command.push_str(&format!(" HOLD={}", self.hold_seconds));
        }
        let sizes = [("PAGES_EVENTS", self.pages_events), ("PAGES_SETTLEMENTS", self.pages_settlements)];
        for (name, size) in sizes.into_iter().filter_map(|(name, size)| Some((name, size?))) {
            command.push_str(&format!(" {name}={size}"));
        }
        if !self.rows.is_empty() {
            let names: Vec<String> = self
                .rows
                .iter()
                .filter_map(|row| Some(row.to_possible_value()?.get_name().to_owned()))
                .collect();
            command.push_str(&format!(" ROWS={}", names.join(",")));
        }
        command
    }
}

impl Report {
    /// Writes it.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub(super) fn carry_out(self) -> Result<()> {
        write_report(&self.folder)
    }
}

fn write_report(folder: &Path) -> Result<()> {
    let (text, file) = (report(folder)?, folder.join("RESULTS.md"));
    std::fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// The report of what is kept in this folder.
fn report(folder: &Path) -> Result<String> {
    let store = Store::open(&folder.join("results"))?;
    let notes = Notes::parse(&std::fs::read_to_string(folder.join("NOTES.md")).unwrap_or_default());
    let mut rows = Vec::new();
    for spec in Group::value_variants().iter().flat_map(|group| group.specs()) {
        rows.push((*spec, store.find(spec.id)?));
    }
    Ok(render(&rows, store.machine()?.as_ref(), &notes)?)
}

fn now() -> String {
    let now = OffsetDateTime::now_utc();
    now.replace_nanosecond(0).unwrap_or(now).format(&Rfc3339).unwrap_or_default()
}

/// Raises the limit of open files to what the system allows; servers inherit it.
fn allow_many_files() -> Result<u64> {
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })?;
    let files = maximum.unwrap_or(1 << 20);
    if files < FILES {
        tracing::warn!(
            files,
            "too few open files are allowed for the rows with 10,000 connections (ulimit -n)"
        );
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_what_was_kept() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let there = std::fs::read_to_string(folder.join("RESULTS.md")).expect("the report");
        assert!(
            there == report(folder).expect("a report"),
            "bench/RESULTS.md is not what bench/results and bench/NOTES.md say; write it anew:\n\
             cargo run --release -p tidewatch-bench -- report"
        );
    }
}
