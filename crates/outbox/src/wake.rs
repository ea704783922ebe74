//! What wakes the relay and the readers, so that nobody waits for the next poll: see [`tidewatch_listen`].

use sqlx::postgres::PgConnectOptions;
use tidewatch_listen::{Exchange, Heard, Hint};
use tokio_util::sync::CancellationToken;

/// Channel on which writers say that they recorded something.
pub const RECORDED_CHANNEL: &str = "tidewatch_recorded";
/// Channel on which the relay says that it published something.
pub const PUBLISHED_CHANNEL: &str = "tidewatch_published";

/// Wakes the relay after a commit and the readers after a publication, in this process at once
/// and in all others by `NOTIFY`. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Waker {
    recorded: Hint,
    published: Hint,
    exchange: Exchange,
}

impl Default for Waker {
    fn default() -> Self {
        let mut exchange = Exchange::default();
        let recorded = exchange.hint(RECORDED_CHANNEL, "");
        let published = exchange.hint(PUBLISHED_CHANNEL, "");
        Self { recorded, published, exchange }
    }
}

impl Waker {
    /// Says that events were recorded and committed. Returns at once.
    pub fn wake(&self) {
        self.recorded.say();
    }

    /// Says that events were published.
    pub(crate) fn wake_readers(&self) {
        self.published.say();
    }

    /// What the relay waits for.
    pub(crate) fn recorded(&self) -> Heard {
        self.recorded.subscribe()
    }

    /// What the follower waits for.
    pub(crate) fn published(&self) -> Heard {
        self.published.subscribe()
    }

    /// Tells other processes and hears them, until `shutdown`. Never ends for a lost connection:
    /// it connects again, and polling covers the time between.
    pub async fn run(self, options: PgConnectOptions, shutdown: CancellationToken) {
        self.exchange.run(options, shutdown).await;
    }
}
