//! One subscriber's place in a stream.

use std::sync::Arc;

use tidewatch_events::{EventFilter, Position, Subject, visible};
use tokio::sync::Notify;

use crate::published::PublishedEvent;
use crate::subscription::{CloseReason, Delivery};

/// How much may wait for one subscriber.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueBounds {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// Where a subscriber is.
pub(crate) enum Phase {
    /// It has everything up to here and reads on from the ring or the history.
    Replaying(Position),
    /// It cannot have what it asked for: it is told so, and is live from then on.
    Gap,
    /// It has everything up to the head but for what is queued.
    Live(Queue),
    /// Its queue ran over behind this position.
    Lagged(Position),
}

/// What waits for a live subscriber.
#[derive(Default)]
pub(crate) struct Queue {
    /// In the order of positions.
    events: Vec<Arc<PublishedEvent>>,
    /// Urgent ones that overtake those; each is behind the first of them, so that [`Queue::first`] is
    /// of `events`.
    urgent: Vec<Arc<PublishedEvent>>,
    bytes: usize,
}

impl Queue {
    /// What comes next: the urgent ones first.
    pub(crate) fn take(&mut self) -> Option<Delivery> {
        if !self.urgent.is_empty() {
            let urgent = std::mem::take(&mut self.urgent);
            self.bytes -= urgent.iter().map(|event| event.sse_frame().len()).sum::<usize>();
            return Some(Delivery::Urgent(urgent));
        }
        if self.events.is_empty() {
            return None;
        }
        self.bytes = 0;
        Some(Delivery::Events(std::mem::take(&mut self.events)))
    }

    /// An urgent one overtakes what waits, but nothing that happened to the same thing.
    fn push(&mut self, event: &Arc<PublishedEvent>) {
        self.bytes += event.sse_frame().len();
        let overtakes = event.is_urgent()
            && !self.events.is_empty()
            && !self.events.iter().any(|waiting| waiting.is_sibling_of(event));
        let lane = if overtakes { &mut self.urgent } else { &mut self.events };
        lane.push(Arc::clone(event));
    }

    fn len(&self) -> usize {
        self.events.len() + self.urgent.len()
    }

    fn retain(&mut self, keep: impl Fn(&PublishedEvent) -> bool) {
        self.events.retain(|event| keep(event));
        self.urgent.retain(|event| keep(event));
        if self.events.is_empty() {
            // There is nothing left to overtake.
            self.events = std::mem::take(&mut self.urgent);
        }
        self.bytes = self.events.iter().chain(&self.urgent).map(|event| event.sse_frame().len()).sum();
    }

    pub(crate) fn first(&self) -> Option<Position> {
        self.events.first().map(|event| event.position())
    }
}

pub(crate) struct Slot {
    pub(crate) subject: Subject,
    pub(crate) filter: Arc<EventFilter>,
    /// Nothing up to here, whatever the stream's head is: a reader can be ahead of this instance.
    pub(crate) after: Position,
    pub(crate) phase: Phase,
    pub(crate) closed: Option<CloseReason>,
    /// Its rights have changed, and it was not told yet.
    pub(crate) rights_changed: bool,
    pub(crate) notify: Arc<Notify>,
}

impl Slot {
    /// Whether the subscriber asked for this event, may see it, and does not have it already.
    pub(crate) fn wants(&self, event: &PublishedEvent) -> bool {
        event.position() > self.after
            && self.filter.matches(event.event())
            && visible(&event.event().routing, &self.subject)
    }

    /// Queues the event if the subscriber is live and wants it.
    pub(crate) fn offer(&mut self, event: &Arc<PublishedEvent>, bounds: QueueBounds) {
        if !matches!(self.phase, Phase::Live(_)) || !self.wants(event) {
            return;
        }
        let Phase::Live(queue) = &mut self.phase else { return };
        queue.push(event);
        // A single event that is larger than the bound is no reader's fault.
        if queue.len() > bounds.events || (queue.bytes > bounds.bytes && queue.len() > 1) {
            self.phase = Phase::Lagged(queue.first().map_or(self.after, Position::previous));
        }
        self.notify.notify_one();
    }

    /// From now on with these rights; what waits and may no longer be seen is dropped.
    pub(crate) fn set_subject(&mut self, subject: Subject) {
        if self.subject == subject {
            return;
        }
        self.subject = subject;
        self.rights_changed = true;
        self.notify.notify_one();
        if let Phase::Live(queue) = &mut self.phase {
            let subject = &self.subject;
            queue.retain(|event| visible(&event.event().routing, subject));
        }
    }

    pub(crate) fn close(&mut self, reason: CloseReason) {
        self.closed.get_or_insert(reason);
        self.notify.notify_one();
    }

    /// Everything up to here was offered to the subscriber.
    pub(crate) fn position(&self, head: Position) -> Position {
        match &self.phase {
            Phase::Replaying(cursor) => *cursor,
            Phase::Lagged(position) => *position,
            Phase::Live(queue) => queue.first().map_or(head, Position::previous).max(self.after),
            Phase::Gap => head,
        }
    }
}
