//! Where events come from that the hub no longer holds.

use futures::future::BoxFuture;
use tidewatch_events::{Event, Position, ProjectId};

/// Some events in the order of their positions, without holes.
#[derive(Debug, Clone, Default)]
pub struct HistoryPage {
    /// The events behind the asked position; empty when there are none.
    pub events: Vec<Event>,
    /// The oldest position that is still kept.
    pub oldest: Position,
}

/// The history could not be read just now.
#[derive(Debug, thiserror::Error)]
#[error("the history cannot be read: {0}")]
pub struct HistoryError(#[source] Box<dyn std::error::Error + Send + Sync>);

impl HistoryError {
    /// Because of this.
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
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
