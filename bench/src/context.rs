//! What every row needs: programs, cores, folders, and how long things are measured.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Clock;
use crate::pages::data::Sizes;
use crate::systems::Database;

/// Which cores do what, as `taskset -c` understands it.
#[derive(Debug, Clone)]
pub struct Cores {
    /// The server under test.
    pub server: String,
    /// The load generator.
    pub generator: String,
    /// Postgres and Redis.
    pub helper: String,
}

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Runs of which the median counts.
    pub runs: usize,
    /// Runs of what takes long and varies little.
    pub few_runs: usize,
    /// Whether this is a quick look, good for iterating and for nothing else.
    pub quick: bool,
    /// Readers of the rows on fan-out.
    pub readers: usize,
    /// Connections of the rows on many idle ones.
    pub many: usize,
    /// How long 100 events a second are published.
    pub steady: Duration,
    /// How long 20 events a second are published.
    pub slow: Duration,
    /// How long is published as fast as it goes.
    pub saturated: Duration,
    /// How long events go on while some read nothing.
    pub stalled: Duration,
    /// How long transactions are counted.
    pub transactions: Duration,
    /// Unpublished events that the relay finds.
    pub backlog: u64,
    /// How long many connections are held.
    pub hold: Duration,
    /// How long many connections of a peer are held.
    pub peer_hold: Duration,
    /// How long connections come and go.
    pub flood: Duration,
    /// The same at a peer.
    pub peer_flood: Duration,
    /// How long is published by the SDK, in each of its ways.
    pub publishing: Duration,
    /// Jobs that wait at once.
    pub jobs: usize,
    /// Jobs that come one by one.
    pub single_jobs: usize,
    /// What stands behind the pages.
    pub pages: Sizes,
    /// Whether the pages' data is that of an earlier run.
    pub pages_again: bool,
    /// Requests of each page.
    pub page_requests: usize,
}

impl Plan {
    /// The whole plan: about an hour with 5 runs.
    #[must_use]
    pub fn full(runs: usize, hold: Duration) -> Self {
        Self {
            runs,
            few_runs: runs.min(2),
            quick: false,
            readers: 1_000,
            many: 10_000,
            steady: Duration::from_secs(4),
            slow: Duration::from_secs(6),
            saturated: Duration::from_secs(4),
            stalled: Duration::from_secs(16),
            transactions: Duration::from_secs(4),
            backlog: 1_000_000,
            hold,
            peer_hold: Duration::from_secs(20),
            flood: Duration::from_secs(60),
            peer_flood: Duration::from_secs(20),
            publishing: Duration::from_secs(6),
            jobs: 10_000,
            single_jobs: 200,
            pages: Sizes { events: 10_000_000, settlements: 1_000_000 },
            pages_again: false,
            page_requests: 200,
        }
    }

    /// Short windows and small numbers, to see that a row works and roughly where it stands.
    #[must_use]
    pub fn quick(runs: usize) -> Self {
        Self {
            quick: true,
            few_runs: 1,
            many: 2_000,
            steady: Duration::from_secs(2),
            slow: Duration::from_secs(2),
            saturated: Duration::from_secs(2),
            stalled: Duration::from_secs(6),
            transactions: Duration::from_secs(1),
            backlog: 50_000,
            hold: Duration::from_secs(10),
            peer_hold: Duration::from_secs(5),
            flood: Duration::from_secs(6),
            peer_flood: Duration::from_secs(4),
            publishing: Duration::from_secs(2),
            jobs: 2_000,
            single_jobs: 40,
            pages: Sizes { events: 100_000, settlements: 10_000 },
            page_requests: 30,
            ..Self::full(runs, Duration::ZERO)
        }
    }
}

/// What every row needs.
#[derive(Debug, Clone)]
pub struct Context {
    /// Numbers events and knows when they were sent.
    pub clock: Arc<Clock>,
    /// How much is measured.
    pub plan: Plan,
    /// Which cores do what.
    pub cores: Cores,
    /// The Postgres of the run.
    pub database: Database,
    /// The binary `tidewatch`.
    pub server_program: PathBuf,
    /// This binary, which is some of the peers too.
    pub this_program: PathBuf,
    /// The folder `bench` of the repository.
    pub bench_folder: PathBuf,
    /// Where logs and what servers write go.
    pub run_folder: PathBuf,
    /// Most files that a process may have open.
    pub open_files: u64,
}

impl Context {
    /// Where the output of a process goes.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.run_folder.join(format!("{name}.log"))
    }
}
