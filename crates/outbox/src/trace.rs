//! Who follows traces is told of events on their way. Where nobody does, nothing of this is there.

use std::fmt::Debug;
use std::time::SystemTime;

use tidewatch_events::trace::TraceContext;
use tidewatch_events::{EventId, NewEvent};

/// Follows traces.
pub trait Tracer: Debug + Send + Sync + 'static {
    /// A transaction that began then is about to record events of recorded traces.
    fn begin(&self, began: SystemTime) -> Box<dyn Recording>;

    /// The relay has published these events of recorded traces, in a transaction that began then.
    fn published(&self, began: SystemTime, events: &[PublishedTrace]);
}

/// A transaction that records events of recorded traces. Dropped before [`Recording::committed`], it was rolled back.
pub trait Recording: Debug + Send + Sync {
    /// These are about to be recorded: each is given the `traceparent` under which others go on.
    fn recording(&mut self, events: &mut [NewEvent]);

    /// They were, under these ids.
    fn recorded(&mut self, ids: &[EventId]);

    /// The transaction is committed.
    fn committed(self: Box<Self>);
}

/// An event of a recorded trace that has its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedTrace {
    /// Which event.
    pub event_id: EventId,
    /// What it tells of.
    pub event_type: String,
    /// Its position.
    pub position: i64,
    /// Where in its trace it was recorded.
    pub traceparent: String,
}

/// Whether the event is of a recorded trace.
pub(crate) fn is_traced(event: &NewEvent) -> bool {
    TraceContext::recorded(event.metadata.traceparent.as_deref()).is_some()
}
