//! Job queues: each has one process of workers, is given jobs in transactions, and says when none is left.
//!
//! The handler does the same in all of them: it reads out of the payload when the job was enqueued, takes the time
//! that has passed since, and reports it where the payload asks for that.

mod graphile;
mod job;
mod reports;
mod tidewatch;
pub mod worker;

use async_trait::async_trait;

use crate::context::Context;
use crate::rounds::Contender;

pub use reports::Reports;

/// Jobs that a process of workers does at one time.
pub const CONCURRENCY: usize = 4;
/// graphile-worker as it comes.
pub const GRAPHILE: &str = "graphile-worker";
/// graphile-worker as its makers measure it.
pub const GRAPHILE_BATCHING: &str = "graphile-worker, localQueue 500";

/// A job queue that can be started.
#[async_trait(?Send)]
pub trait Queue {
    /// Its name in the results.
    fn name(&self) -> &'static str;

    /// Why it cannot be measured here; `None` when it can.
    fn missing(&self, context: &Context) -> Option<String>;

    /// Starts its workers on the server's core, on a database with nothing in it. Their first report says that
    /// they are up.
    ///
    /// # Errors
    /// They did not come up.
    async fn start(&self, context: &Context, reports: &Reports) -> anyhow::Result<Box<dyn RunningQueue>>;
}

/// A job queue whose workers run. Dropped, they are killed.
#[async_trait(?Send)]
pub trait RunningQueue {
    /// The first process of the workers.
    fn pid(&self) -> u32;

    /// Enqueues so many jobs in one transaction, commits it, and lets the workers know. The last one reports.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    async fn enqueue(&mut self, jobs: usize) -> anyhow::Result<()>;

    /// Whether a job is not done yet, or its end not committed.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    async fn is_busy(&mut self) -> anyhow::Result<bool>;

    /// Lets Postgres know its table, as autovacuum would in time.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    async fn analyze(&mut self) -> anyhow::Result<()>;

    /// Ends the workers.
    async fn stop(self: Box<Self>);
}

impl Contender for Box<dyn Queue> {
    fn name(&self) -> &'static str {
        Queue::name(&**self)
    }

    fn missing(&self, context: &Context) -> Option<String> {
        Queue::missing(&**self, context)
    }
}

/// Every job queue, Tidewatch last.
#[must_use]
pub fn all() -> Vec<Box<dyn Queue>> {
    vec![
        Box::new(graphile::Graphile { local_queue: None }),
        Box::new(graphile::Graphile { local_queue: Some(500) }),
        Box::new(tidewatch::TidewatchJobs),
    ]
}
