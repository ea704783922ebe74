//! Breaks several instances of Tidewatch on purpose, and compares what each reader received with the log.
//!
//! ```text
//!                 ┌──────────── world ────────────────────────────────────────────┐
//!  simulator ───▶ │ entry ──▶ instances (the real program) ──▶ lines ──▶ Postgres │   entry and lines are proxies
//!                 │              │              └──▶ Redis or NATS                 │   that can be cut and slowed
//!                 └──────────────┼────────────────────────────────────────────────┘
//!  readers ◀── SSE ──────────────┘     each goes on, where it was cut, on any instance
//!     └──▶ judge: every event that it may see, once, in order?     report
//! ```
//!
//! `make chaos` runs it; what each fault is stands in `scenarios`.

pub mod child;
pub mod entry;
pub mod judge;
pub mod line;
pub mod readers;
pub mod report;
pub mod scenarios;
pub mod services;
pub mod sse;
pub mod world;

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

use crate::scenarios::Scenario;

/// What is run, and how much of it.
#[derive(Debug, Clone, Parser)]
#[command(about, version)]
pub struct Options {
    /// The binary `tidewatch`
    #[arg(long)]
    server: PathBuf,

    /// The script that starts and stops a PostgreSQL
    #[arg(long, default_value = "scripts/postgres.sh")]
    postgres: PathBuf,

    /// Where data and logs go; what stands there is deleted
    #[arg(long, default_value = ".data/chaos")]
    folder: PathBuf,

    /// Where the data of Postgres go, likewise
    #[arg(long, default_value = ".data/chaos/postgres")]
    database_folder: PathBuf,

    /// Faults, with commas between them; all of them by default
    #[arg(long, value_enum, value_delimiter = ',')]
    only: Vec<Scenario>,

    /// Readers at one time
    #[arg(long, default_value_t = 300)]
    readers: usize,

    /// Changes that the simulator makes in a second
    #[arg(long, default_value_t = 50)]
    rate: u32,

    /// For how long each fault is kept up or repeated, in seconds
    #[arg(long, default_value_t = 20)]
    seconds: u64,

    /// What carries events between instances: postgres, redis or nats
    #[arg(long, value_enum, default_value = "redis")]
    broker: services::BrokerKind,

    /// Where the report is written
    #[arg(long, default_value = "chaos/RESULTS.md")]
    report: PathBuf,
}

impl Options {
    fn span(&self) -> Duration {
        Duration::from_secs(self.seconds)
    }
}

/// Runs what is asked for.
///
/// # Errors
/// Something was not as it should be, or the suite itself does not work.
pub async fn run(options: &Options) -> anyhow::Result<()> {
    let is_good = scenarios::run_all(options).await?;
    anyhow::ensure!(is_good, "not everything was as it should be; see the report");
    Ok(())
}
