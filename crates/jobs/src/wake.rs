//! What wakes workers, so that nobody waits for the next poll: see [`tidewatch_listen`].

use sqlx::postgres::PgConnectOptions;
use tidewatch_listen::{Exchange, Heard, Hint};
use tokio_util::sync::CancellationToken;

/// Channel on which it is said that jobs were enqueued or are to be cancelled.
pub const JOBS_CHANNEL: &str = "tidewatch_jobs";

/// Wakes workers after a commit, in this process at once and in all others by `NOTIFY`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Waker {
    enqueued: Hint,
    cancelled: Hint,
    exchange: Exchange,
}

impl Default for Waker {
    fn default() -> Self {
        let mut exchange = Exchange::default();
        let enqueued = exchange.hint(JOBS_CHANNEL, "enqueued");
        let cancelled = exchange.hint(JOBS_CHANNEL, "cancelled");
        Self { enqueued, cancelled, exchange }
    }
}

impl Waker {
    /// Says that jobs were enqueued, or are to be done again, and that this is committed. Returns at once.
    pub fn wake_workers(&self) {
        self.enqueued.say();
    }

    /// Says that jobs are to be cancelled, and that this is committed. Returns at once.
    pub fn wake_cancelled(&self) {
        self.cancelled.say();
    }

    /// Says in this process alone that jobs wait.
    pub(crate) fn wake_here(&self) {
        self.enqueued.say_here();
    }

    /// What workers wait for.
    pub(crate) fn enqueued(&self) -> Heard {
        self.enqueued.subscribe()
    }

    /// What those wait for who keep leases.
    pub(crate) fn cancelled(&self) -> Heard {
        self.cancelled.subscribe()
    }

    /// Tells other processes and hears them, until `shutdown`. Never ends for a lost connection: it connects
    /// again, and polling covers the time between.
    pub async fn run(self, options: PgConnectOptions, shutdown: CancellationToken) {
        self.exchange.run(options, shutdown).await;
    }
}
