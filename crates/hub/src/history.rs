//! Where events come from that the hub no longer holds.

use std::collections::HashMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use parking_lot::Mutex;
use tidewatch_events::{Event, Position, ProjectId};

use crate::published::PublishedEvent;

/// Some events in the order of their positions, without holes.
#[derive(Debug, Clone, Default)]
pub struct HistoryPage {
    /// The events behind the asked position; empty when there are none.
    pub events: Vec<Event>,
    /// The oldest position that is still kept.
    pub oldest: Position,
}

/// The history could not be read just now.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the history cannot be read: {0}")]
pub struct HistoryError(#[source] Arc<dyn std::error::Error + Send + Sync>);

impl HistoryError {
    /// Because of this.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(Arc::from(cause.into()))
    }
}

/// The published log, as far as the hub needs it.
pub trait History: Send + Sync + 'static {
    /// Reads at most `limit` events behind `after`. It has every event that was published to the
    /// hub, but for those that retention dropped; then the first one is not the one behind `after`.
    fn read(
        &self,
        project: ProjectId,
        after: Position,
        limit: usize,
    ) -> BoxFuture<'_, Result<HistoryPage, HistoryError>>;
}

/// A page whose events are encoded once, however many readers replay it.
pub(crate) struct ReplayPage {
    pub(crate) events: Vec<Arc<PublishedEvent>>,
    pub(crate) oldest: Position,
}

impl ReplayPage {
    /// The events behind `after`.
    pub(crate) fn behind(&self, after: Position) -> &[Arc<PublishedEvent>] {
        &self.events[self.events.partition_point(|event| event.position() <= after)..]
    }

    /// Whether it has the very next one.
    pub(crate) fn goes_on_behind(&self, after: Position) -> bool {
        self.behind(after).first().is_some_and(|next| next.position() == after.next())
    }
}

type Answer = Result<Arc<ReplayPage>, HistoryError>;

/// A read that is under way, for all who wait for it.
pub(crate) type Reading = Shared<BoxFuture<'static, Answer>>;

type Flights = HashMap<(ProjectId, Position, usize), WeakShared<BoxFuture<'static, Answer>>>;

/// The history, where those who ask for the same at the same time share one read: a herd that comes
/// back behind one position costs the database one query.
pub(crate) struct SharedHistory {
    history: Arc<dyn History>,
    flights: Mutex<Flights>,
}

impl SharedHistory {
    pub(crate) fn new(history: Arc<dyn History>) -> Self {
        Self { history, flights: Mutex::default() }
    }

    /// Reads behind `after`, or joins a read that does so already.
    pub(crate) fn read(&self, project: ProjectId, after: Position, limit: usize) -> Reading {
        let mut flights = self.flights.lock();
        let key = (project, after, limit);
        // One that is done is joined no more: what it read may be old.
        if let Some(reading) = flights.get(&key).and_then(WeakShared::upgrade)
            && reading.peek().is_none()
        {
            return reading;
        }
        flights.retain(|_, flight| flight.upgrade().is_some_and(|reading| reading.peek().is_none()));
        let history = Arc::clone(&self.history);
        let reading = async move {
            let page = history.read(project, after, limit).await?;
            let events = page.events.into_iter().map(|event| Arc::new(PublishedEvent::new(event))).collect();
            Ok(Arc::new(ReplayPage { events, oldest: page.oldest }))
        };
        let reading = reading.boxed().shared();
        flights.extend(reading.downgrade().map(|flight| (key, flight)));
        reading
    }
}
