//! One project's stream: its latest events and its subscribers, behind one lock.
//!
//! Registering, publishing and the switch from replay to live each happen under that lock, so a
//! subscriber can miss nothing between two of them.

use std::sync::Arc;

use parking_lot::Mutex;
use slab::Slab;
use tidewatch_events::{Event, Position, ProjectId};
use tokio::time::Instant;

use crate::history::HistoryPage;
use crate::hub::{Head, HubConfig, PublishError};
use crate::published::PublishedEvent;
use crate::ring::Ring;
use crate::slot::{Phase, Queue, QueueBounds, Slot};
use crate::subscription::{CloseReason, Delivery};

/// Most events that one delivery of a replay holds.
const REPLAY_BATCH: usize = 256;
/// Events that are read from the history at once.
pub(crate) const HISTORY_BATCH: usize = 1_000;

pub(crate) struct ProjectStream {
    pub(crate) project: ProjectId,
    max_replay: u64,
    queue_bounds: QueueBounds,
    state: Mutex<State>,
}

struct State {
    /// `None` until the first head is known: a project without events.
    head: Option<Head>,
    ring: Ring,
    slots: Slab<Slot>,
}

/// What a subscriber has to do next.
pub(crate) enum Step {
    Deliver(Delivery),
    /// Read the history behind this position.
    Read(Position),
    /// Look again at once.
    Again,
    /// Nothing, until it is notified.
    Wait,
}

impl State {
    fn head_position(&self) -> Position {
        self.head.map_or(Position::START, |head| head.position)
    }
}

impl ProjectStream {
    pub(crate) fn new(project: ProjectId, config: &HubConfig) -> Self {
        Self {
            project,
            max_replay: config.max_replay,
            queue_bounds: QueueBounds { events: config.queue_events, bytes: config.queue_bytes },
            state: Mutex::new(State {
                head: None,
                ring: Ring::new(config.ring_bounds()),
                slots: Slab::new(),
            }),
        }
    }

    pub(crate) fn head(&self) -> Option<Head> {
        self.state.lock().head
    }

    /// Whether a replay from behind `after` needs no history.
    pub(crate) fn reaches(&self, after: Position) -> bool {
        let state = self.state.lock();
        after >= state.head_position() || state.ring.behind(after).is_some()
    }

    /// The stream goes on behind `head`. Where it was open before, its readers are told of the gap.
    pub(crate) fn open(&self, head: Head) {
        let mut state = self.state.lock();
        let reopened = state.head.replace(head).is_some();
        state.ring.clear();
        for (_, slot) in &mut state.slots {
            if reopened {
                slot.phase = Phase::Gap;
                slot.after = Position::START;
            }
            slot.notify.notify_one();
        }
    }

    pub(crate) fn publish(&self, events: Vec<Event>) -> Result<(), PublishError> {
        let now = Instant::now();
        let mut state = self.state.lock();
        let State { head: Some(head), ring, slots } = &mut *state else {
            return Err(PublishError::NotOpen(self.project));
        };
        for event in events {
            let position = event.envelope.position;
            if position <= head.position {
                continue;
            }
            if position != head.position.next() {
                return Err(PublishError::Hole { expected: head.position.next(), got: position });
            }
            let event = Arc::new(PublishedEvent::new(event));
            head.position = position;
            for (_, slot) in slots.iter_mut() {
                slot.offer(&event, self.queue_bounds);
                if matches!(slot.phase, Phase::Replaying(_)) {
                    slot.notify.notify_one();
                }
            }
            ring.push(event, now);
        }
        Ok(())
    }

    /// Takes the subscriber in; `place` says where it begins, given the head.
    pub(crate) fn register(
        &self,
        slot: Slot,
        place: impl FnOnce(&mut Slot, Option<Position>, u64),
    ) -> (usize, bool) {
        let mut state = self.state.lock();
        let head = state.head.map(|head| head.position);
        let mut slot = slot;
        place(&mut slot, head, self.max_replay);
        let recovered = !matches!(slot.phase, Phase::Gap);
        (state.slots.insert(slot), recovered)
    }

    pub(crate) fn unregister(&self, key: usize) {
        self.state.lock().slots.try_remove(key);
    }

    pub(crate) fn with_slot<T>(&self, key: usize, act: impl FnOnce(&mut Slot) -> T) -> Option<T> {
        self.state.lock().slots.get_mut(key).map(act)
    }

    pub(crate) fn close_all(&self, reason: CloseReason) {
        for (_, slot) in &mut self.state.lock().slots {
            slot.close(reason);
        }
    }

    pub(crate) fn subscribers(&self) -> usize {
        self.state.lock().slots.len()
    }

    pub(crate) fn position(&self, key: usize) -> Position {
        let state = self.state.lock();
        let head = state.head_position();
        state.slots.get(key).map_or(head, |slot| slot.position(head))
    }

    /// The subscriber's next step.
    pub(crate) fn step(&self, key: usize) -> Step {
        let mut state = self.state.lock();
        let State { head, ring, slots } = &mut *state;
        let (Some(slot), head) = (slots.get_mut(key), head.map(|head| head.position)) else {
            return Step::Deliver(Delivery::Closed(CloseReason::Removed));
        };
        // What waits when the instance goes down is still given; where rights ended, nothing is.
        if let Some(reason) = slot.closed {
            return Step::Deliver(match &mut slot.phase {
                Phase::Live(queue) if reason == CloseReason::Draining => {
                    queue.take().unwrap_or(Delivery::Closed(reason))
                }
                _ => Delivery::Closed(reason),
            });
        }
        if std::mem::take(&mut slot.rights_changed) {
            return Step::Deliver(Delivery::PermissionsChanged);
        }
        match &mut slot.phase {
            Phase::Lagged(_) => Step::Deliver(Delivery::Lagged),
            Phase::Gap => Step::Read(head.unwrap_or(Position::START)),
            Phase::Live(queue) => queue.take().map_or(Step::Wait, Step::Deliver),
            Phase::Replaying(cursor) => {
                let Some(head) = head else { return Step::Wait };
                let after = *cursor;
                if after >= head {
                    slot.phase = Phase::Live(Queue::default());
                    return Step::Again;
                }
                match ring.behind(after) {
                    Some(events) => replay(slot, after, head, events),
                    None => Step::Read(after),
                }
            }
        }
    }

    /// Takes what was read behind `after` in answer to [`Step::Read`].
    pub(crate) fn accept(&self, key: usize, after: Position, page: HistoryPage) -> Step {
        let mut state = self.state.lock();
        let head = state.head_position();
        let Some(slot) = state.slots.get_mut(key) else {
            return Step::Deliver(Delivery::Closed(CloseReason::Removed));
        };
        if slot.closed.is_some() {
            return Step::Again;
        }
        match slot.phase {
            Phase::Gap => {
                slot.phase = Phase::Live(Queue::default());
                // From here on the head counts, and nothing before it.
                slot.after = head;
                Step::Deliver(Delivery::Gap { oldest: page.oldest })
            }
            // The stream was opened anew meanwhile, or this page was asked for by an earlier step.
            Phase::Replaying(cursor) if cursor != after => Step::Again,
            Phase::Replaying(_) => {
                let first = page.events.first().map(|event| event.envelope.position);
                match first {
                    Some(first) if first == after.next() => {
                        let events: Vec<_> = page
                            .events
                            .into_iter()
                            .map(|event| Arc::new(PublishedEvent::new(event)))
                            .collect();
                        replay(slot, after, head, events.iter())
                    }
                    None if page.oldest <= after.next() => Step::Deliver(Delivery::Unavailable),
                    _ => {
                        slot.phase = Phase::Gap;
                        Step::Again
                    }
                }
            }
            Phase::Live(_) | Phase::Lagged(_) => Step::Again,
        }
    }
}

/// Passes on what the subscriber wants of `events`, which follow `after`, and moves it on. Events
/// beyond the head belong to the future of this instance and are left to [`ProjectStream::publish`].
fn replay<'a>(
    slot: &mut Slot,
    after: Position,
    head: Position,
    events: impl Iterator<Item = &'a Arc<PublishedEvent>>,
) -> Step {
    let mut cursor = after;
    let mut wanted = Vec::new();
    for event in events.take_while(|event| event.position() <= head) {
        if wanted.len() == REPLAY_BATCH {
            break;
        }
        cursor = event.position();
        if slot.wants(event) {
            wanted.push(Arc::clone(event));
        }
    }
    slot.phase = if cursor >= head { Phase::Live(Queue::default()) } else { Phase::Replaying(cursor) };
    if wanted.is_empty() { Step::Again } else { Step::Deliver(Delivery::Events(wanted)) }
}
