//! One subscriber's place in a stream.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::Waker;

use tidewatch_events::Position;

use crate::direct::DirectSink;
use crate::published::PublishedEvent;
use crate::span::OpenSpan;
use crate::subscription::{CloseReason, RightsChange};

/// Where a subscriber is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// It reads on behind its cursor, from the ring or the history.
    Replaying,
    /// It cannot have what it asked for: it is told so, and is live from then on.
    Gap,
    /// It has everything up to the head, but for what of its view's tail is behind its cursor.
    Live {
        /// Where its view's list of live slots has it.
        place: usize,
        /// Nothing of the tail is behind its cursor.
        caught_up: bool,
    },
    /// Too much was waiting; it has everything up to here.
    Lagged(Position),
}

/// What the hub holds for one subscriber: the rest it shares with others of its view.
pub(crate) struct Slot {
    pub(crate) view: usize,
    /// It was given everything up to here, and is given nothing up to here, whatever the stream's head
    /// is: a reader can be ahead of this instance.
    pub(crate) cursor: Position,
    /// Urgent ones behind the cursor that it was given already.
    pub(crate) early: Vec<Arc<PublishedEvent>>,
    pub(crate) phase: Phase,
    pub(crate) closed: Option<CloseReason>,
    /// How its rights have changed since it was told of them.
    pub(crate) rights_change: Option<Box<RightsChange>>,
    /// Whom to wake when there is something for it.
    pub(crate) waker: Option<Waker>,
    /// Takes events while nobody looks.
    pub(crate) sink: Option<Arc<dyn DirectSink>>,
    /// The claim that it is under: what waits is being offered to its sink.
    pub(crate) claim: Option<NonZeroU32>,
    /// How many events it was given.
    pub(crate) given: u64,
    /// What it was given, where that is to be known.
    pub(crate) span: Option<Box<OpenSpan>>,
}

impl Slot {
    /// Nothing but its place: it has yet to be told where it begins.
    pub(crate) const fn new(view: usize, closed: Option<CloseReason>) -> Self {
        Self {
            view,
            cursor: Position::START,
            early: Vec::new(),
            phase: Phase::Gap,
            closed,
            rights_change: None,
            waker: None,
            sink: None,
            claim: None,
            given: 0,
            span: None,
        }
    }

    /// Whether events at `position` can be offered to its sink: it waits, and nothing else is to be told.
    pub(crate) fn can_be_claimed(&self, position: Position) -> bool {
        self.sink.is_some()
            && self.waker.is_some()
            && self.claim.is_none()
            && self.closed.is_none()
            && self.rights_change.is_none()
            && self.early.is_empty()
            && self.cursor < position
    }
}

#[cfg(test)]
mod tests {
    use super::Slot;

    /// A hundred thousand subscribers are a hundred thousand of these.
    #[test]
    fn is_small() {
        assert!(size_of::<Slot>() <= 128, "{} bytes", size_of::<Slot>());
    }
}
