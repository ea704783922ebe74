//! The latest events of one project.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tidewatch_events::Position;
use tokio::time::Instant;

use crate::published::PublishedEvent;

/// How much a [`Ring`] holds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RingBounds {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
    pub(crate) age: Duration,
}

struct Entry {
    since: Instant,
    bytes: usize,
    event: Arc<PublishedEvent>,
}

/// The latest events without holes, oldest first, bounded by number, size and age.
pub(crate) struct Ring {
    bounds: RingBounds,
    entries: VecDeque<Entry>,
    bytes: usize,
}

impl Ring {
    pub(crate) const fn new(bounds: RingBounds) -> Self {
        Self { bounds, entries: VecDeque::new(), bytes: 0 }
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.bytes = 0;
    }

    /// Takes the next event; the caller sees to it that it follows the last one.
    pub(crate) fn push(&mut self, event: Arc<PublishedEvent>, now: Instant) {
        let bytes = event.frame_len();
        self.bytes += bytes;
        self.entries.push_back(Entry { since: now, bytes, event });
        while self.is_over_bounds(now) {
            let Some(oldest) = self.entries.pop_front() else { break };
            self.bytes -= oldest.bytes;
        }
    }

    fn is_over_bounds(&self, now: Instant) -> bool {
        let too_old = |entry: &Entry| now.duration_since(entry.since) > self.bounds.age;
        self.entries.len() > self.bounds.events
            || self.bytes > self.bounds.bytes
            || self.entries.front().is_some_and(too_old)
    }

    /// The events behind `after`, or `None` when the ring does not reach back that far.
    pub(crate) fn behind(&self, after: Position) -> Option<impl Iterator<Item = &Arc<PublishedEvent>>> {
        let first = self.entries.front()?.event.position();
        if after.next() < first {
            return None;
        }
        // Positions are dense, so the place of an event follows from its position.
        let skip = usize::try_from(after.next().since(first)).unwrap_or(usize::MAX).min(self.entries.len());
        Some(self.entries.range(skip..).map(|entry| &entry.event))
    }
}
