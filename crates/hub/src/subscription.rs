//! What one subscriber holds, and what it receives.

use std::sync::Arc;

use futures::future::BoxFuture;
use tidewatch_events::Position;
use tidewatch_events::id::ConnectionId;
use tokio::sync::Notify;

use crate::history::{History, HistoryError, HistoryPage};
use crate::hub::Inner;
use crate::published::PublishedEvent;
use crate::stream::{HISTORY_BATCH, ProjectStream, Step};

/// What a subscriber receives.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// The next events, in the order of their positions.
    Events(Vec<Arc<PublishedEvent>>),
    /// Urgent events that overtake others, never of their own aggregate. They are behind
    /// [`Subscription::position`], so that a reader that resumes from there is given them again.
    Urgent(Vec<Arc<PublishedEvent>>),
    /// Events between the last ones and [`Subscription::position`] are not to be had; live ones follow.
    Gap {
        /// The oldest position that is kept.
        oldest: Position,
    },
    /// From here on the subscriber has other rights: what it was sent before it may perhaps see no
    /// longer, and what it was not sent it may perhaps see now.
    PermissionsChanged,
    /// The subscriber was too slow: too much was waiting. It receives nothing more and can
    /// subscribe again behind its position.
    Lagged,
    /// The history could not be read. A later call tries again.
    Unavailable,
    /// The subscription has ended.
    Closed(CloseReason),
}

/// Why a subscription has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The instance goes down.
    Draining,
    /// The session, key or token behind the connection has ended.
    SessionExpired,
    /// The subscriber may read no stream at all any more.
    Forbidden,
    /// The connection was ended by a person, or is no longer known.
    Removed,
}

type Reading = BoxFuture<'static, (Position, Result<HistoryPage, HistoryError>)>;

/// A subscriber's end. Dropped, it leaves the hub.
pub struct Subscription {
    id: ConnectionId,
    hub: Arc<Inner>,
    stream: Arc<ProjectStream>,
    key: usize,
    history: Arc<dyn History>,
    notify: Arc<Notify>,
    recovered: bool,
    /// A read of the history that is under way. It is kept here, not in the future of
    /// [`Subscription::next`], so that it goes on where that one is dropped and called again.
    reading: Option<Reading>,
}

impl std::fmt::Debug for Subscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscription")
            .field("id", &self.id)
            .field("position", &self.position())
            .finish_non_exhaustive()
    }
}

impl Subscription {
    pub(crate) fn new(
        id: ConnectionId,
        hub: Arc<Inner>,
        stream: Arc<ProjectStream>,
        key: usize,
        history: Arc<dyn History>,
        notify: Arc<Notify>,
        recovered: bool,
    ) -> Self {
        Self { id, hub, stream, key, history, notify, recovered, reading: None }
    }

    /// The connection that it belongs to.
    #[must_use]
    pub const fn id(&self) -> ConnectionId {
        self.id
    }

    /// Everything up to here was received, or is not for this subscriber.
    #[must_use]
    pub fn position(&self) -> Position {
        self.stream.position(self.key)
    }

    /// Whether it goes on from where it was asked to; `false` when a [`Delivery::Gap`] comes first.
    #[must_use]
    pub const fn recovered(&self) -> bool {
        self.recovered
    }

    /// Waits for what comes next. Cancel safe: nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Delivery {
        loop {
            let mut step = self.stream.step(self.key);
            if let Step::Read(after) = step {
                step = match self.read(after).await {
                    (after, Ok(page)) => self.stream.accept(self.key, after, page),
                    (_, Err(error)) => {
                        tracing::warn!(%error, connection.id = %self.id, "a replay was interrupted");
                        Step::Deliver(Delivery::Unavailable)
                    }
                };
            }
            match step {
                Step::Deliver(delivery) => return delivery,
                Step::Wait => self.notify.notified().await,
                // A long replay must not keep others from their turn.
                Step::Again | Step::Read(_) => tokio::task::coop::consume_budget().await,
            }
        }
    }

    async fn read(&mut self, after: Position) -> (Position, Result<HistoryPage, HistoryError>) {
        let reading = self.reading.get_or_insert_with(|| {
            let (history, project) = (Arc::clone(&self.history), self.stream.project);
            Box::pin(async move { (after, history.read(project, after, HISTORY_BATCH).await) })
        });
        let read = reading.await;
        self.reading = None;
        read
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.forget(self.id, &self.stream, self.key);
    }
}
