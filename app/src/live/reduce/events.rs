//! A page of events, newest first.
//!
//! Events never change: a page that follows has those that match as they come, at the place that their
//! position says, and lets the oldest go where there is no room. What it was paused or held at stays on
//! the screen; what comes waits behind it.

use std::collections::BTreeSet;

use tidewatch_events::{Envelope, EventId, Position};

use super::{Holdable, Reducer};
use crate::model::{EventPage, Snapshot};

/// A page of events that follows the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct EventList {
    page: EventPage,
    /// What stays on the screen while someone points at it.
    held: Option<Shown>,
    /// What stays on the screen until someone lets the page go on.
    paused: Option<Shown>,
    /// Came while the page was open: worth a highlight.
    arrived: BTreeSet<EventId>,
}

/// Rows that stay on the screen, and where the page behind them begins.
#[derive(Debug, Clone, PartialEq)]
struct Shown {
    events: Vec<Envelope>,
    next: Option<Position>,
}

impl EventList {
    /// The page as it was loaded.
    #[must_use]
    pub const fn new(page: EventPage) -> Self {
        Self { page, held: None, paused: None, arrived: BTreeSet::new() }
    }

    /// What is on the screen.
    #[must_use]
    pub fn visible(&self) -> &[Envelope] {
        self.kept().map_or(&self.page.events, |shown| &shown.events)
    }

    /// `before` of the following page, which begins where the screen ends.
    #[must_use]
    pub fn next(&self) -> Option<Position> {
        self.kept().map_or(self.page.next, |shown| shown.next)
    }

    fn kept(&self) -> Option<&Shown> {
        self.paused.as_ref().or(self.held.as_ref())
    }

    fn keep(&self) -> Shown {
        Shown { events: self.visible().to_vec(), next: self.next() }
    }

    /// Where the search stopped before the page was full.
    #[must_use]
    pub const fn looked_to(&self) -> Option<Position> {
        self.page.looked_to
    }

    /// Whether the event came while the page was open.
    #[must_use]
    pub fn has_arrived(&self, id: EventId) -> bool {
        self.arrived.contains(&id)
    }

    /// Whether what comes waits until someone lets the page go on.
    #[must_use]
    pub const fn is_paused(&self) -> bool {
        self.paused.is_some()
    }

    /// Keeps what is on the screen, or lets the page go on.
    pub fn set_paused(&mut self, paused: bool) {
        match (paused, &self.paused) {
            (true, None) => self.paused = Some(self.keep()),
            (false, Some(_)) => {
                self.paused = None;
                self.held = None;
            }
            _ => {}
        }
    }

    /// How many events came since the page was paused: at least so many, and no more than a page.
    #[must_use]
    pub fn waiting_while_paused(&self) -> usize {
        self.paused.as_ref().map_or(0, |shown| self.newer_than(shown))
    }

    /// Whether as many came since the page was paused as a page has: there may have been more.
    #[must_use]
    pub fn is_full_while_paused(&self) -> bool {
        self.waiting_while_paused() == self.page.query.rows() as usize
    }

    fn newer_than(&self, shown: &Shown) -> usize {
        let shown: BTreeSet<EventId> = shown.events.iter().map(|event| event.event_id).collect();
        self.page.events.iter().filter(|event| !shown.contains(&event.event_id)).count()
    }
}

impl Holdable for EventList {
    fn hold(&mut self) {
        if self.held.is_none() {
            self.held = Some(Shown { events: self.page.events.clone(), next: self.page.next });
        }
    }

    fn release(&mut self) {
        self.held = None;
    }

    fn waiting(&self) -> usize {
        // The button that pauses says what waits behind it.
        self.held.as_ref().filter(|_| !self.is_paused()).map_or(0, |shown| self.newer_than(shown))
    }
}

impl Reducer for EventList {
    type Data = EventPage;

    fn apply(&mut self, envelope: &Envelope) -> bool {
        let page = &mut self.page;
        if !page.query.follows() || !page.query.matches(envelope) {
            return false;
        }
        // Below the page there is what the following ones show.
        let is_below = page.next.is_some_and(|next| envelope.position < next);
        let index = page.events.partition_point(|event| event.position > envelope.position);
        let is_there = page.events.get(index).is_some_and(|event| event.position == envelope.position);
        if is_below || is_there {
            return false;
        }
        page.events.insert(index, envelope.clone());
        self.arrived.insert(envelope.event_id);
        let rows = page.query.rows() as usize;
        if page.events.len() > rows {
            for gone in page.events.drain(rows..) {
                self.arrived.remove(&gone.event_id);
            }
            page.next = page.events.last().map(|last| last.position);
            page.looked_to = None;
        }
        true
    }

    fn replace(&mut self, snapshot: Snapshot<EventPage>) {
        let known: BTreeSet<EventId> = self.page.events.iter().map(|event| event.event_id).collect();
        self.page = snapshot.data;
        let ids = self.page.events.iter().map(|event| event.event_id);
        let arrived = ids.filter(|id| !known.contains(id) || self.arrived.contains(id));
        self.arrived = arrived.collect();
    }

    fn wants_refetch(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests;
