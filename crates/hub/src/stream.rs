//! One project's stream. All its state is under one lock, so that registering, publishing and the
//! switch from replay to live exclude each other: a subscriber can miss nothing between two of them.
//! The lock is never held while anything is awaited, and nobody is woken under it.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::task::Waker;

use parking_lot::Mutex;
use slab::Slab;
use tidewatch_events::id::ConnectionId;
use tidewatch_events::{Event, EventFilter, Position, ProjectId, Subject};
use tokio::time::Instant;

use crate::direct::{Claim, DirectSink, Handout, PART};
use crate::history::ReplayPage;
use crate::hub::{Head, HubConfig, PublishError, StartAt};
use crate::published::PublishedEvent;
use crate::ring::Ring;
use crate::run::{RUN_EVENTS, Run};
use crate::slot::{Phase, Slot};
use crate::span::{OpenSpan, Reader, Span};
use crate::subscription::{CloseReason, Delivery, Load, RightsChange};
use crate::tail::{QueueBounds, Taken};
use crate::view::{Todo, Views};

/// Events that are read from the history at once.
const HISTORY_BATCH: usize = 1_000;

pub(crate) struct ProjectStream {
    pub(crate) project: ProjectId,
    max_replay: u64,
    queue_bounds: QueueBounds,
    state: Mutex<State>,
}

pub(crate) struct State {
    /// `None` until the first head is known: a project without events.
    head: Option<Head>,
    ring: Ring,
    pub(crate) slots: Slab<Slot>,
    pub(crate) views: Views,
    /// Not taken yet by whoever keeps them.
    pub(crate) ended_spans: Vec<Span>,
    /// Counts claims, to tell them apart.
    claims: NonZeroU32,
}

/// What a subscriber has to do next.
pub(crate) enum Step {
    Deliver(Delivery),
    /// Read so many events of the history behind this position.
    Read(Position, usize),
    /// Look again at once.
    Again,
    /// Nothing, until it is woken.
    Wait,
}

impl State {
    fn head_position(&self) -> Position {
        self.head.map_or(Position::START, |head| head.position)
    }

    /// Everything up to here was given to the subscriber, or is not for it.
    pub(crate) fn position(&self, slot: &Slot) -> Position {
        let head = self.head_position();
        match slot.phase {
            Phase::Replaying => slot.cursor,
            Phase::Lagged(position) => position,
            Phase::Gap => head,
            Phase::Live { .. } => {
                let tail = &self.views.get(slot.view).tail;
                tail.first_lacking(slot.cursor, &slot.early).map_or(head, Position::previous).max(slot.cursor)
            }
        }
    }

    /// The subscriber is live no longer, if it was.
    fn stop(&mut self, key: usize, next: Phase) {
        let slot = &mut self.slots[key];
        let view = slot.view;
        if let Phase::Live { place, caught_up } = std::mem::replace(&mut slot.phase, next) {
            self.views.get_mut(view).leave(place, caught_up, &mut self.slots);
        }
    }

    /// It has everything up to its cursor, which is the head or beyond.
    fn go_live(&mut self, key: usize) {
        let slot = &mut self.slots[key];
        slot.early.clear();
        self.views.get_mut(slot.view).join(key, slot);
    }

    fn take(&mut self, key: usize) -> Option<Delivery> {
        let slot = &mut self.slots[key];
        let Phase::Live { caught_up, .. } = &mut slot.phase else { return None };
        if *caught_up {
            return None;
        }
        let view = self.views.get_mut(slot.view);
        let taken = view.tail.take(&mut slot.cursor, &mut slot.early);
        if view.tail.has_nothing_behind(slot.cursor) {
            *caught_up = true;
            view.one_caught_up();
        }
        if let Some(Taken::Events(run) | Taken::Urgent(run)) = &taken {
            slot.given += run.len() as u64;
        }
        Some(match taken? {
            Taken::Events(run) => Delivery::Events(run),
            Taken::Urgent(run) => Delivery::Urgent(run),
        })
    }

    fn closing_step(&mut self, key: usize, reason: CloseReason) -> Step {
        // What waits when the instance goes down is still given; where rights ended, nothing is.
        let last = (reason == CloseReason::Draining).then(|| self.take(key)).flatten();
        Step::Deliver(last.unwrap_or(Delivery::Closed(reason)))
    }

    fn step(&mut self, key: usize) -> Step {
        let Some(slot) = self.slots.get_mut(key) else {
            return Step::Deliver(Delivery::Closed(CloseReason::Removed));
        };
        if slot.claim.is_some() {
            return Step::Wait;
        }
        // Whoever loses everything is still told from which channels it was removed.
        if let Some(change) = slot.rights_change.take()
            && (slot.closed.is_none() || !change.removed.is_empty())
        {
            return Step::Deliver(Delivery::PermissionsChanged(*change));
        }
        if let Some(reason) = slot.closed {
            return self.closing_step(key, reason);
        }
        match slot.phase {
            Phase::Lagged(_) => Step::Deliver(Delivery::Lagged),
            // The oldest position is all that is asked for.
            Phase::Gap => Step::Read(self.head_position(), 1),
            Phase::Live { .. } => self.take(key).map_or(Step::Wait, Step::Deliver),
            Phase::Replaying => {
                let Some(Head { position: head, .. }) = self.head else { return Step::Wait };
                let after = slot.cursor;
                if after >= head {
                    self.go_live(key);
                    return Step::Again;
                }
                let Some(events) = self.ring.behind(after) else { return Step::Read(after, HISTORY_BATCH) };
                let (cursor, wanted) = pick(slot, &self.views, head, events);
                self.replayed(key, cursor, wanted)
            }
        }
    }

    /// Takes what was read behind `after` in answer to [`Step::Read`].
    fn accept(&mut self, key: usize, after: Position, page: &ReplayPage) -> Step {
        let head = self.head_position();
        let Some(slot) = self.slots.get_mut(key) else {
            return Step::Deliver(Delivery::Closed(CloseReason::Removed));
        };
        if slot.closed.is_some() {
            return Step::Again;
        }
        match slot.phase {
            Phase::Gap => {
                // From here on the head counts, and nothing before it.
                self.end_span(key, Some(head));
                self.slots[key].cursor = head;
                self.go_live(key);
                Step::Deliver(Delivery::Gap { oldest: page.oldest })
            }
            // The stream was opened anew meanwhile, or this page was asked for by an earlier step.
            Phase::Replaying if slot.cursor != after => Step::Again,
            Phase::Replaying if page.goes_on_behind(after) => {
                let (cursor, wanted) = pick(slot, &self.views, head, page.behind(after).iter());
                self.replayed(key, cursor, wanted)
            }
            Phase::Replaying if page.events.is_empty() && page.oldest <= after.next() => {
                Step::Deliver(Delivery::Unavailable)
            }
            Phase::Replaying => {
                slot.phase = Phase::Gap;
                Step::Again
            }
            Phase::Live { .. } | Phase::Lagged(_) => Step::Again,
        }
    }

    fn publish(
        &mut self,
        project: ProjectId,
        events: Vec<Event>,
        bounds: QueueBounds,
        now: Instant,
        todo: &mut Todo,
    ) -> Result<(), PublishError> {
        let Self { head: Some(head), ring, slots, views, .. } = self else {
            return Err(PublishError::NotOpen(project));
        };
        for event in events {
            let position = event.envelope.position;
            if position <= head.position {
                continue;
            }
            if position != head.position.next() {
                return Err(PublishError::Hole { expected: head.position.next(), got: position });
            }
            head.position = position;
            let showing = views.showing(&event);
            let event = Arc::new(PublishedEvent::new(event));
            for key in showing {
                views.get_mut(key).push(&event, slots, bounds, todo);
            }
            ring.push(event, now);
        }
        Ok(())
    }

    /// Claims the subscriber for its sink, if something waits for it.
    fn claim(&mut self, key: usize) -> Option<Claim> {
        let slot = self.slots.get_mut(key)?;
        let Phase::Live { caught_up: false, .. } = slot.phase else { return None };
        let sink = Arc::clone(slot.sink.as_ref()?);
        let events = self.views.get_mut(slot.view).tail.next_run(slot.cursor)?;
        self.claims = self.claims.checked_add(1).unwrap_or(NonZeroU32::MIN);
        slot.claim = Some(self.claims);
        Some(Claim { key, number: self.claims, sink, events })
    }

    /// Claims those who can be, and leaves the others to be woken.
    fn claim_all(&mut self, todo: &mut Todo) -> Vec<Claim> {
        let mut claims = Vec::with_capacity(todo.claimable.len());
        for key in std::mem::take(&mut todo.claimable) {
            match self.claim(key) {
                Some(claim) => claims.push(claim),
                None => todo.woken.extend(self.slots[key].waker.take()),
            }
        }
        claims
    }

    /// Ends claims. Those who have taken what they were offered and lack more are claimed anew; those who
    /// have not, or of whom something else is wanted, are woken.
    fn settle(&mut self, given: Vec<(Claim, bool)>, woken: &mut Vec<Waker>) -> Vec<Claim> {
        let mut again = Vec::new();
        for (claim, taken) in given {
            let Some(slot) = self.slots.get_mut(claim.key).filter(|slot| slot.claim == Some(claim.number))
            else {
                continue;
            };
            slot.claim = None;
            let last = claim.events.last().map(|last| last.position()).filter(|_| taken);
            if taken {
                slot.given += claim.events.len() as u64;
            }
            match (&mut slot.phase, last) {
                (Phase::Live { caught_up, .. }, Some(last)) => {
                    slot.cursor = slot.cursor.max(last);
                    let view = self.views.get_mut(slot.view);
                    let wanted_else =
                        slot.closed.is_some() || slot.rights_change.is_some() || !slot.early.is_empty();
                    if view.tail.has_nothing_behind(slot.cursor) {
                        *caught_up = true;
                        view.one_caught_up();
                        if !wanted_else {
                            continue;
                        }
                    } else if !wanted_else && let Some(next) = self.claim(claim.key) {
                        again.push(next);
                        continue;
                    }
                }
                (Phase::Replaying, Some(last)) => slot.cursor = slot.cursor.max(last),
                (Phase::Lagged(position), Some(last)) => *position = (*position).max(last),
                _ => {}
            }
            woken.extend(self.slots[claim.key].waker.take());
        }
        again
    }

    fn replayed(&mut self, key: usize, cursor: Position, wanted: Option<Run>) -> Step {
        self.slots[key].cursor = cursor;
        self.slots[key].given += wanted.as_ref().map_or(0, |run| run.len() as u64);
        if cursor >= self.head_position() {
            self.go_live(key);
        }
        wanted.map_or(Step::Again, |run| Step::Deliver(Delivery::Events(run)))
    }
}

/// What the subscriber wants of `events`, which follow its cursor, and how far it has looked. Events
/// beyond the head belong to the future of this instance and are left to [`ProjectStream::publish`].
fn pick<'a>(
    slot: &Slot,
    views: &Views,
    head: Position,
    events: impl Iterator<Item = &'a Arc<PublishedEvent>>,
) -> (Position, Option<Run>) {
    let view = views.get(slot.view);
    let mut cursor = slot.cursor;
    let mut wanted = Vec::new();
    for event in events.take_while(|event| event.position() <= head) {
        if wanted.len() == RUN_EVENTS {
            break;
        }
        cursor = event.position();
        // Of what it had early, nothing comes again, and nothing that happened before to the same thing:
        // that did not wait when the urgent one came, so it was hidden then.
        let overtaken = slot.early.iter().any(|had| had.position() >= cursor && had.thing() == event.thing());
        if !overtaken && view.shows(event.event()) {
            wanted.push(event);
        }
    }
    if wanted.is_empty() {
        return (cursor, None);
    }
    let run = Run::fill(wanted.iter().copied());
    // What did not fit is looked at again.
    let last = run.last().map_or(cursor, |last| last.position());
    (if run.len() < wanted.len() { last } else { cursor }, Some(run))
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
                views: Views::default(),
                ended_spans: Vec::new(),
                claims: NonZeroU32::MIN,
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
        let keys: Vec<usize> = state.slots.iter().map(|(key, _)| key).collect();
        let mut woken = Vec::new();
        for key in keys {
            if reopened {
                state.end_span(key, None);
                state.stop(key, Phase::Gap);
                state.slots[key].cursor = Position::START;
                state.slots[key].early.clear();
            }
            woken.extend(state.slots[key].waker.take());
        }
        drop(state);
        woken.into_iter().for_each(Waker::wake);
    }

    /// See [`crate::Hub::skip_to`].
    pub(crate) fn skip_to(&self, position: Position) -> bool {
        let State { head, slots, ring, .. } = &mut *self.state.lock();
        let Some(head) = head.as_mut().filter(|head| slots.is_empty() && head.position <= position) else {
            return false;
        };
        head.position = position;
        ring.clear();
        true
    }

    pub(crate) fn publish(self: &Arc<Self>, events: Vec<Event>) -> Result<Vec<Handout>, PublishError> {
        let now = Instant::now();
        let mut todo = Todo::default();
        let mut state = self.state.lock();
        let done = state.publish(self.project, events, self.queue_bounds, now, &mut todo);
        let mut claims = state.claim_all(&mut todo).into_iter();
        drop(state);
        todo.woken.into_iter().for_each(Waker::wake);
        let mut handouts = Vec::new();
        while claims.len() > 0 {
            handouts.push(Handout::new(Arc::clone(self), claims.by_ref().take(PART).collect()));
        }
        done.map(|()| handouts)
    }

    /// See [`State::settle`].
    pub(crate) fn settle(&self, given: Vec<(Claim, bool)>) -> Vec<Claim> {
        let mut woken = Vec::new();
        let again = self.state.lock().settle(given, &mut woken);
        woken.into_iter().for_each(Waker::wake);
        again
    }

    /// From now on events are offered to this sink while the subscriber waits. `false`: it is not here.
    pub(crate) fn attach(&self, key: usize, sink: Arc<dyn DirectSink>) -> bool {
        self.state.lock().slots.get_mut(key).map(|slot| slot.sink = Some(sink)).is_some()
    }

    /// Takes a subscriber in; `true`: it goes on from where it asked to.
    pub(crate) fn register(
        &self,
        filter: &EventFilter,
        subject: &Subject,
        after: StartAt,
        reader: Option<(ConnectionId, Arc<Reader>)>,
        closed: Option<CloseReason>,
    ) -> (usize, bool) {
        let mut state = self.state.lock();
        let head = state.head.map(|head| head.position);
        let view = state.views.acquire(filter, subject);
        let mut slot = Slot::new(view, closed);
        let live = match (after, head) {
            (StartAt::Unrecoverable, _) => false,
            (StartAt::After(after), Some(head)) if head.since(after) > self.max_replay => false,
            (StartAt::After(after), _) => {
                (slot.cursor, slot.phase) = (after, Phase::Replaying);
                false
            }
            (StartAt::Head, Some(head)) => {
                slot.cursor = head;
                true
            }
            // A project without events: its first one is behind the start.
            (StartAt::Head, None) => {
                slot.phase = Phase::Replaying;
                false
            }
        };
        let after = slot.cursor;
        slot.span = reader.map(|(connection, reader)| Box::new(OpenSpan { connection, reader, after }));
        let key = state.slots.insert(slot);
        if live {
            state.go_live(key);
        }
        (key, state.slots[key].phase != Phase::Gap)
    }

    pub(crate) fn unregister(&self, key: usize) {
        let mut state = self.state.lock();
        if state.slots.contains(key) {
            state.end_span(key, None);
            state.stop(key, Phase::Gap);
            let slot = state.slots.remove(key);
            state.views.release(slot.view);
        }
    }

    /// From now on with these rights: what waits is looked at again. `false`: it is not here.
    pub(crate) fn set_subject(&self, key: usize, subject: &Subject) -> bool {
        let mut state = self.state.lock();
        let Some(slot) = state.slots.get(key) else { return false };
        let old = slot.view;
        if *state.views.get(old).subject == *subject {
            return true;
        }
        let change = RightsChange::between(&state.views.get(old).subject, subject);
        let position = state.position(slot);
        state.end_span(key, None);
        let filter = Arc::clone(&state.views.get(old).filter);
        let new = state.views.acquire(&filter, subject);
        // What waited is replayed by the new rights; where nothing did, that ends at once.
        if matches!(state.slots[key].phase, Phase::Live { .. }) {
            state.stop(key, Phase::Replaying);
            state.slots[key].cursor = position;
        }
        let slot = &mut state.slots[key];
        slot.view = new;
        slot.rights_change = Some(Box::new(match slot.rights_change.take() {
            Some(earlier) => earlier.and(change),
            None => change,
        }));
        let waker = slot.waker.take();
        state.views.release(old);
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        true
    }

    /// Ends a subscription. `false`: it is not here.
    pub(crate) fn close(&self, key: usize, reason: CloseReason) -> bool {
        let mut state = self.state.lock();
        let Some(slot) = state.slots.get_mut(key) else { return false };
        slot.closed.get_or_insert(reason);
        let waker = slot.waker.take();
        drop(state);
        waker.into_iter().for_each(Waker::wake);
        true
    }

    /// See [`crate::Hub::load`].
    pub(crate) fn load(&self, key: usize) -> Option<Load> {
        let state = self.state.lock();
        let slot = state.slots.get(key)?;
        let waiting = match slot.phase {
            Phase::Live { caught_up: true, .. } | Phase::Gap | Phase::Lagged(_) => 0,
            Phase::Live { .. } => {
                state.views.get(slot.view).tail.count_lacking(slot.cursor, &slot.early) as u64
            }
            Phase::Replaying => state.head_position().since(slot.cursor),
        };
        Some(Load { given: slot.given, waiting })
    }

    pub(crate) fn take_ended_spans(&self) -> Vec<Span> {
        std::mem::take(&mut self.state.lock().ended_spans)
    }

    pub(crate) fn open_spans(&self) -> Vec<Span> {
        let state = self.state.lock();
        state.slots.iter().filter_map(|(_, slot)| state.span(slot)).collect()
    }

    pub(crate) fn subscribers(&self) -> usize {
        self.state.lock().slots.len()
    }

    pub(crate) fn views(&self) -> usize {
        self.state.lock().views.len()
    }

    pub(crate) fn place(&self, key: usize) -> Head {
        let state = self.state.lock();
        let position =
            state.slots.get(key).map_or_else(|| state.head_position(), |slot| state.position(slot));
        Head { position, epoch: state.head.map(|head| head.epoch).unwrap_or_default() }
    }

    /// The subscriber's next step. Where it has to wait for something, `waker` is woken by it.
    pub(crate) fn step(&self, key: usize, waker: &Waker) -> Step {
        let mut state = self.state.lock();
        let step = state.step(key);
        if let Some(slot) = state.slots.get_mut(key) {
            match (&mut slot.waker, matches!(step, Step::Wait | Step::Read(..))) {
                (Some(known), true) => known.clone_from(waker),
                (none, true) => *none = Some(waker.clone()),
                // It has something in its hands: nothing may overtake that through its sink.
                (known, false) => *known = None,
            }
        }
        step
    }

    /// The subscriber's position, past which nothing is given to it until its next step; `None` while
    /// something is being offered to its sink.
    pub(crate) fn hold(&self, key: usize) -> Option<Position> {
        let mut state = self.state.lock();
        let slot = state.slots.get_mut(key).filter(|slot| slot.claim.is_none())?;
        slot.waker = None;
        state.slots.get(key).map(|slot| state.position(slot))
    }

    pub(crate) fn accept(&self, key: usize, after: Position, page: &ReplayPage) -> Step {
        let mut state = self.state.lock();
        if let Some(slot) = state.slots.get_mut(key) {
            slot.waker = None;
        }
        state.accept(key, after, page)
    }
}
