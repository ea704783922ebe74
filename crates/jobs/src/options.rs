//! How workers work.

use std::time::Duration;

use crate::new_job::DEFAULT_QUEUE;
use crate::retry::RetryPolicy;

/// How workers work.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// The queue whose jobs they do.
    pub queue: String,
    /// What they are called in `leased_by`, for people. The process's number and a random one by default.
    pub name: String,
    /// Most jobs at one time.
    pub concurrency: usize,
    /// Longest time between two looks; wake-ups only shorten it.
    pub poll: Duration,
    /// So long after the last sign of life another worker takes the job.
    pub lease: Duration,
    /// Time between two signs of life; a third of the lease or less. A wish to cancel whose notification
    /// was lost is seen as late.
    pub heartbeat: Duration,
    /// So long runs may go on after the shutdown has begun. Then they are dropped and their jobs given back.
    pub grace: Duration,
    /// When failed jobs are tried again.
    pub retry: RetryPolicy,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        Self {
            queue: DEFAULT_QUEUE.to_owned(),
            name: format!("{}-{:08x}", std::process::id(), rand::random::<u32>()),
            concurrency: 16,
            poll: Duration::from_millis(500),
            lease: Duration::from_secs(30),
            heartbeat: Duration::from_secs(5),
            grace: Duration::from_secs(20),
            retry: RetryPolicy::default(),
        }
    }
}
