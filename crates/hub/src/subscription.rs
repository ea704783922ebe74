//! What one subscriber holds, and what it receives.

use std::collections::BTreeSet;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::FutureExt;
use tidewatch_events::id::ConnectionId;
use tidewatch_events::{Channel, Position, Subject, SubjectRef};

use crate::history::{Reading, ReplayPage};
use crate::hub::{Head, Inner};
use crate::run::Run;
use crate::stream::{ProjectStream, Step};

/// Steps in a row after which others have their turn: a long replay must not keep them from it.
const STEPS_AT_ONCE: usize = 16;

/// What a subscriber receives.
#[derive(Debug, Clone)]
pub enum Delivery {
    /// The next events, in the order of their positions.
    Events(Run),
    /// Urgent events that overtake others, never of their own aggregate. They are behind
    /// [`Subscription::position`], so that a reader that resumes from there is given them again.
    Urgent(Run),
    /// Events between the last ones and [`Subscription::position`] are not to be had; live ones follow.
    Gap {
        /// The oldest position that is kept.
        oldest: Position,
    },
    /// From here on the subscriber has other rights: what it was sent before it may perhaps see no
    /// longer, and what it was not sent it may perhaps see now.
    PermissionsChanged(RightsChange),
    /// The subscriber was too slow: too much was waiting. It receives nothing more and can
    /// subscribe again behind its position.
    Lagged,
    /// The history could not be read. A later call tries again.
    Unavailable,
    /// The subscription has ended.
    Closed(CloseReason),
}

/// How a subscriber's rights have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RightsChange {
    /// Private channels that it was let into, and is no longer.
    pub removed: BTreeSet<Channel>,
    /// Whether anything else has changed: permissions, or the names under which it can be addressed.
    pub others: bool,
}

impl RightsChange {
    /// What has changed from one subject to the other.
    pub(crate) fn between(old: &Subject, new: &Subject) -> Self {
        let mut change = Self { others: old.permissions != new.permissions, ..Self::default() };
        for name in old.identities.difference(&new.identities) {
            match name {
                SubjectRef::Channel(channel) => drop(change.removed.insert(channel.clone())),
                _ => change.others = true,
            }
        }
        change.others |= !new.identities.is_subset(&old.identities);
        change
    }

    /// Both changes, one after the other.
    pub(crate) fn and(mut self, later: Self) -> Self {
        self.removed.extend(later.removed);
        self.others |= later.others;
        self
    }
}

/// What a subscriber had, and what it lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Events that it was given since it subscribed.
    pub given: u64,
    /// Events that wait for it; while it catches up, the positions that are left to be looked at.
    pub waiting: u64,
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

/// A subscriber's end. Dropped, it leaves the hub.
pub struct Subscription {
    id: ConnectionId,
    hub: Arc<Inner>,
    stream: Arc<ProjectStream>,
    key: usize,
    recovered: bool,
    /// A read of the history that is under way, and behind what. It goes on where the future of
    /// [`Subscription::next`] is dropped and called again.
    reading: Option<Box<(Position, Reading)>>,
    /// What was read, until all of it is delivered.
    page: Option<Arc<ReplayPage>>,
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
    pub(crate) const fn new(
        id: ConnectionId,
        hub: Arc<Inner>,
        stream: Arc<ProjectStream>,
        key: usize,
        recovered: bool,
    ) -> Self {
        Self { id, hub, stream, key, recovered, reading: None, page: None }
    }

    /// The connection that it belongs to.
    #[must_use]
    pub const fn id(&self) -> ConnectionId {
        self.id
    }

    /// Everything up to here was received, or is not for this subscriber.
    #[must_use]
    pub fn position(&self) -> Position {
        self.place().position
    }

    /// The same, with which history it counts.
    #[must_use]
    pub fn place(&self) -> Head {
        self.stream.place(self.key)
    }

    /// The position, to be told in a message beside the events: nothing past it is given until the next
    /// poll, which has to follow. `None` while a [`crate::DirectSink`] is being offered something, for
    /// the message could come behind that.
    #[must_use]
    pub fn hold(&mut self) -> Option<Position> {
        self.stream.hold(self.key)
    }

    /// Whether it goes on from where it was asked to; `false` when a [`Delivery::Gap`] comes first.
    #[must_use]
    pub const fn recovered(&self) -> bool {
        self.recovered
    }

    /// Waits for what comes next. Cancel safe: nothing is lost when the future is dropped.
    pub async fn next(&mut self) -> Delivery {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// What comes next, if it is there.
    pub fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Delivery> {
        for _ in 0..STEPS_AT_ONCE {
            let mut step = self.stream.step(self.key, context.waker());
            if let Step::Read(after, limit) = step {
                match self.poll_read(after, limit, context) {
                    Poll::Ready(read) => step = read,
                    Poll::Pending => return Poll::Pending,
                }
            } else {
                self.page = None;
            }
            match step {
                Step::Deliver(delivery) => return Poll::Ready(delivery),
                Step::Wait => return Poll::Pending,
                Step::Again | Step::Read(..) => {}
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn poll_read(&mut self, after: Position, limit: usize, context: &mut Context<'_>) -> Poll<Step> {
        if let Some(page) = self.page.as_ref().filter(|page| page.goes_on_behind(after)) {
            return Poll::Ready(self.stream.accept(self.key, after, page));
        }
        let reading = self.reading.get_or_insert_with(|| {
            Box::new((after, self.hub.history.read(self.stream.project, after, limit)))
        });
        let Poll::Ready(read) = reading.1.poll_unpin(context) else { return Poll::Pending };
        let after = reading.0;
        self.reading = None;
        Poll::Ready(match read {
            Ok(page) => {
                let step = self.stream.accept(self.key, after, &page);
                self.page = Some(page);
                step
            }
            Err(error) => {
                tracing::warn!(%error, connection.id = %self.id, "a replay was interrupted");
                Step::Deliver(Delivery::Unavailable)
            }
        })
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.hub.forget(self.id, &self.stream, self.key);
    }
}
