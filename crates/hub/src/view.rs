//! Views: subscribers that ask for the same and may see the same share one.
//!
//! Ten thousand readers of a dashboard are a handful of views. An event is matched once with each
//! distinct filter and once with each distinct set of rights, however many read; what waits is held
//! once a view, and each subscriber has a cursor in it.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::Waker;

use slab::Slab;
use tidewatch_events::access::SubjectRef;
use tidewatch_events::{Event, EventFilter, Position, Subject, visible};

use crate::index::FilterIndex;
use crate::published::PublishedEvent;
use crate::slot::{Phase, Slot};
use crate::tail::{QueueBounds, Tail};

/// What is to be done about subscribers for whom something came.
#[derive(Default)]
pub(crate) struct Todo {
    /// To be woken when the lock is let go.
    pub(crate) woken: Vec<Waker>,
    /// Those whose sinks can be offered it, by their slots.
    pub(crate) claimable: Vec<usize>,
}

/// What one filter shows to one set of rights, and to whom.
pub(crate) struct View {
    filter_key: usize,
    pub(crate) filter: Arc<EventFilter>,
    pub(crate) subject: Arc<Subject>,
    /// How many slots are of this view, live or not.
    slots: usize,
    /// The live ones; each knows its place here.
    live: Vec<usize>,
    /// How many of those lack something of the tail.
    behind: usize,
    pub(crate) tail: Tail,
    /// The round in which it was looked at last.
    round: u64,
}

impl View {
    /// Whether a subscriber of this view asked for the event and may see it.
    pub(crate) fn shows(&self, event: &Event) -> bool {
        self.filter.matches(event) && visible(&event.routing, &self.subject)
    }

    /// The slot is live from now on, and has everything up to its cursor.
    pub(crate) fn join(&mut self, key: usize, slot: &mut Slot) {
        slot.phase = Phase::Live { place: self.live.len(), caught_up: true };
        self.live.push(key);
    }

    /// The slot, which was in this place, is live no longer.
    pub(crate) fn leave(&mut self, place: usize, caught_up: bool, slots: &mut Slab<Slot>) {
        self.live.swap_remove(place);
        if let Some(Phase::Live { place: moved, .. }) =
            self.live.get(place).and_then(|key| slots.get_mut(*key)).map(|slot| &mut slot.phase)
        {
            *moved = place;
        }
        if !caught_up {
            self.one_caught_up();
        }
    }

    /// One that lacked something of the tail does so no longer.
    pub(crate) fn one_caught_up(&mut self) {
        self.behind -= 1;
        if self.behind == 0 {
            self.tail.clear();
        }
    }

    /// Takes an event that the view shows.
    pub(crate) fn push(
        &mut self,
        event: &Arc<PublishedEvent>,
        slots: &mut Slab<Slot>,
        bounds: QueueBounds,
        todo: &mut Todo,
    ) {
        if self.live.is_empty() {
            return;
        }
        self.tail.push(event);
        for key in &self.live {
            let slot = &mut slots[*key];
            if let Phase::Live { caught_up, .. } = &mut slot.phase
                && std::mem::replace(caught_up, false)
            {
                self.behind += 1;
                if slot.can_be_claimed(event.position()) {
                    todo.claimable.push(*key);
                } else {
                    todo.woken.extend(slot.waker.take());
                }
            }
        }
        if self.tail.is_over(bounds) {
            self.cut_the_slow(slots, bounds, &mut todo.woken);
        }
    }

    /// Drops what nobody lacks; if the tail is still too long, those at its end are cut.
    fn cut_the_slow(&mut self, slots: &mut Slab<Slot>, bounds: QueueBounds, woken: &mut Vec<Waker>) {
        loop {
            let slowest = self.lacking(slots).map(|(_, slot)| slot.cursor).min();
            self.tail.drop_through(slowest.unwrap_or(Position::MAX));
            let Some(first) = self.tail.first().filter(|_| self.tail.is_over(bounds)) else { return };
            let cut: Vec<usize> =
                self.lacking(slots).filter(|(_, slot)| slot.cursor < first).map(|(key, _)| key).collect();
            for key in cut {
                let slot = &mut slots[key];
                let lagged = Phase::Lagged(slot.cursor.max(first.previous()));
                woken.extend(slot.waker.take());
                if let Phase::Live { place, caught_up } = std::mem::replace(&mut slot.phase, lagged) {
                    self.leave(place, caught_up, slots);
                }
            }
        }
    }

    fn lacking<'a>(&'a self, slots: &'a Slab<Slot>) -> impl Iterator<Item = (usize, &'a Slot)> {
        self.live
            .iter()
            .map(|key| (*key, &slots[*key]))
            .filter(|(_, slot)| matches!(slot.phase, Phase::Live { caught_up: false, .. }))
    }
}

/// A distinct filter, and the views that it has.
struct FilterNode {
    filter: Arc<EventFilter>,
    views: HashMap<Arc<Subject>, usize>,
    /// The same by the names under which an audience can address them.
    named: HashMap<SubjectRef, Vec<usize>>,
    /// The round in which it was asked last.
    round: u64,
}

/// All views of a project.
#[derive(Default)]
pub(crate) struct Views {
    views: Slab<View>,
    filters: Slab<FilterNode>,
    by_filter: HashMap<Arc<EventFilter>, usize>,
    index: FilterIndex,
    round: u64,
}

impl Views {
    pub(crate) fn get(&self, key: usize) -> &View {
        &self.views[key]
    }

    pub(crate) fn get_mut(&mut self, key: usize) -> &mut View {
        &mut self.views[key]
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.views.len()
    }

    /// The view of this filter and these rights, for one more slot.
    pub(crate) fn acquire(&mut self, filter: &EventFilter, subject: &Subject) -> usize {
        let filter_key = self.filter_key(filter);
        let node = &mut self.filters[filter_key];
        let key = *node.views.get(subject).unwrap_or(&usize::MAX);
        if let Some(view) = self.views.get_mut(key) {
            view.slots += 1;
            return key;
        }
        let subject = Arc::new(subject.clone());
        let key = self.views.insert(View {
            filter_key,
            filter: Arc::clone(&node.filter),
            subject: Arc::clone(&subject),
            slots: 1,
            live: Vec::new(),
            behind: 0,
            tail: Tail::default(),
            round: 0,
        });
        for name in &subject.identities {
            node.named.entry(name.clone()).or_default().push(key);
        }
        node.views.insert(subject, key);
        key
    }

    fn filter_key(&mut self, filter: &EventFilter) -> usize {
        if let Some(key) = self.by_filter.get(filter) {
            return *key;
        }
        let filter = Arc::new(filter.clone());
        let node = FilterNode {
            filter: Arc::clone(&filter),
            views: HashMap::new(),
            named: HashMap::new(),
            round: 0,
        };
        let key = self.filters.insert(node);
        self.index.insert(&filter, key);
        self.by_filter.insert(filter, key);
        key
    }

    /// One slot of the view is gone; the last one takes the view along.
    pub(crate) fn release(&mut self, key: usize) {
        let view = &mut self.views[key];
        view.slots -= 1;
        if view.slots > 0 {
            return;
        }
        let view = self.views.remove(key);
        let node = &mut self.filters[view.filter_key];
        node.views.remove(&view.subject);
        for name in &view.subject.identities {
            if let Some(keys) = node.named.get_mut(name) {
                keys.retain(|named| *named != key);
                if keys.is_empty() {
                    node.named.remove(name);
                }
            }
        }
        if node.views.is_empty() {
            let node = self.filters.remove(view.filter_key);
            self.by_filter.remove(&node.filter);
            self.index.remove(&node.filter, view.filter_key);
        }
    }

    /// The views that show the event. Only those are looked at whose filter can match it and, where
    /// it is addressed to somebody, who go by such a name.
    pub(crate) fn showing(&mut self, event: &Event) -> Vec<usize> {
        let Self { views, filters, index, round, .. } = self;
        *round += 1;
        let mut showing = Vec::new();
        for filter_key in index.candidates(event) {
            let node = &mut filters[filter_key];
            if std::mem::replace(&mut node.round, *round) == *round || !node.filter.matches(event) {
                continue;
            }
            let mut look = |key: usize| {
                let view = &mut views[key];
                let first_look = std::mem::replace(&mut view.round, *round) != *round;
                if first_look && visible(&event.routing, &view.subject) {
                    showing.push(key);
                }
            };
            if event.routing.audience.is_empty() {
                node.views.values().copied().for_each(look);
            } else {
                let addressed = event.routing.audience.iter().filter_map(|name| node.named.get(name));
                addressed.flatten().copied().for_each(&mut look);
            }
        }
        showing
    }
}
