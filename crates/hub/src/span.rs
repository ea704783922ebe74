//! What was given to whom.
//!
//! A subscription whose [`Reader`] is named leaves [`Span`]s behind: everything in the stream between two
//! positions that its filter matches and that its rights showed was handed to it. That is enough to say of
//! any event who was given it, and costs nothing an event: a span ends with the subscription, with a change
//! of its rights, and where a gap begins.

use std::sync::Arc;

use tidewatch_events::access::Actor;
use tidewatch_events::id::ConnectionId;
use tidewatch_events::{Event, EventFilter, Position, Subject, visible};

use crate::slot::{Phase, Slot};
use crate::stream::State;

/// Who reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reader {
    /// Whose connection it is.
    pub actor: Actor,
    /// What that one is called.
    pub name: String,
    /// How it is connected: `sse`, `poll`, `socketio`.
    pub transport: &'static str,
}

/// A part of a stream that a reader was given: of the positions behind [`Self::after`] up to
/// [`Self::upto`], everything that [`Self::shows`].
#[derive(Debug, Clone)]
pub struct Span {
    /// The subscription.
    pub connection: ConnectionId,
    /// Whose.
    pub reader: Arc<Reader>,
    /// By which rights.
    pub subject: Arc<Subject>,
    /// What was asked for.
    pub filter: Arc<EventFilter>,
    /// Behind this position.
    pub after: Position,
    /// Up to this one, which is greater.
    pub upto: Position,
}

impl Span {
    /// Whether the event was given to this reader.
    #[must_use]
    pub fn gave(&self, event: &Event) -> bool {
        let position = event.envelope.position;
        self.after < position
            && position <= self.upto
            && self.filter.matches(event)
            && visible(&event.routing, &self.subject)
    }
}

/// The span that a subscriber is in.
pub(crate) struct OpenSpan {
    pub(crate) connection: ConnectionId,
    pub(crate) reader: Arc<Reader>,
    pub(crate) after: Position,
}

impl State {
    /// What the subscriber was given since its span began; `None`: nothing, or nobody asks.
    pub(crate) fn span(&self, slot: &Slot) -> Option<Span> {
        let open = slot.span.as_ref()?;
        // Of a gap nothing was given, though its reader's position is behind it.
        let upto = if slot.phase == Phase::Gap { slot.cursor } else { self.position(slot) };
        if upto <= open.after {
            return None;
        }
        let view = self.views.get(slot.view);
        Some(Span {
            connection: open.connection,
            reader: Arc::clone(&open.reader),
            subject: Arc::clone(&view.subject),
            filter: Arc::clone(&view.filter),
            after: open.after,
            upto,
        })
    }

    /// The subscriber's span ends where it is, and another one begins at `next`, or there.
    pub(crate) fn end_span(&mut self, key: usize, next: Option<Position>) {
        let ended = self.span(&self.slots[key]);
        if let Some(open) = &mut self.slots[key].span {
            open.after = next.or(ended.as_ref().map(|span| span.upto)).unwrap_or(open.after);
        }
        self.ended_spans.extend(ended);
    }
}
