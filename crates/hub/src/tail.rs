//! What waits for the live subscribers of one view, once for all of them.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use tidewatch_events::Position;

use crate::published::PublishedEvent;
use crate::run::Run;

/// How much may wait for one subscriber.
#[derive(Debug, Clone, Copy)]
pub(crate) struct QueueBounds {
    pub(crate) events: usize,
    pub(crate) bytes: usize,
}

/// Events in the order of their positions, from the first that the slowest subscriber lacks. Each
/// subscriber has a cursor in it and no queue of its own.
#[derive(Default)]
pub(crate) struct Tail {
    events: VecDeque<Arc<PublishedEvent>>,
    bytes: usize,
    /// How many of them are urgent.
    urgent: usize,
    /// The run that was given last: the next subscriber most likely lacks the same. `None` when
    /// something came behind it that belongs into it.
    last_run: Option<Run>,
}

/// What a subscriber is given.
pub(crate) enum Taken {
    Events(Run),
    /// They overtake others, which are still to come.
    Urgent(Run),
}

impl Tail {
    pub(crate) fn push(&mut self, event: &Arc<PublishedEvent>) {
        self.bytes += event.frame_len();
        self.urgent += usize::from(event.is_urgent());
        self.last_run.take_if(|run| !run.is_full());
        self.events.push_back(Arc::clone(event));
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// A single event that is larger than the bound is no reader's fault.
    pub(crate) fn is_over(&self, bounds: QueueBounds) -> bool {
        self.events.len() > bounds.events || (self.bytes > bounds.bytes && self.events.len() > 1)
    }

    /// Drops everything up to `position`: nobody lacks it.
    pub(crate) fn drop_through(&mut self, position: Position) {
        while let Some(first) = self.events.pop_front_if(|first| first.position() <= position) {
            self.bytes -= first.frame_len();
            self.urgent -= usize::from(first.is_urgent());
        }
    }

    pub(crate) fn first(&self) -> Option<Position> {
        self.events.front().map(|event| event.position())
    }

    /// The first one that a subscriber with this cursor lacks.
    pub(crate) fn first_lacking(&self, cursor: Position, early: &[Arc<PublishedEvent>]) -> Option<Position> {
        self.lacking(cursor, early).next().map(|event| event.position())
    }

    /// Whether a subscriber with this cursor has all of it.
    pub(crate) fn has_nothing_behind(&self, cursor: Position) -> bool {
        self.events.back().is_none_or(|last| last.position() <= cursor)
    }

    /// What a subscriber with this cursor that had these ones `early` is given next. Its cursor and
    /// what it had early move on by it.
    pub(crate) fn take(
        &mut self,
        cursor: &mut Position,
        early: &mut Vec<Arc<PublishedEvent>>,
    ) -> Option<Taken> {
        let taken = if self.urgent == 0 && early.is_empty() {
            self.next_run(*cursor).map(Taken::Events)
        } else {
            self.next_of_lanes(*cursor, early)
        };
        match &taken {
            Some(Taken::Urgent(run)) => early.extend(run.iter().cloned()),
            Some(Taken::Events(run)) => *cursor = run.last().map_or(*cursor, |last| last.position()),
            // What is left it had early.
            None => *cursor = self.events.back().map_or(*cursor, |last| last.position().max(*cursor)),
        }
        early.retain(|event| event.position() > *cursor);
        taken
    }

    fn start_of(&self, cursor: Position) -> usize {
        match self.first() {
            Some(first) if first <= cursor => self.events.partition_point(|event| event.position() <= cursor),
            _ => 0,
        }
    }

    fn lacking(
        &self,
        cursor: Position,
        early: &[Arc<PublishedEvent>],
    ) -> impl Iterator<Item = &Arc<PublishedEvent>> {
        self.events
            .range(self.start_of(cursor)..)
            .filter(|event| !early.iter().any(|had| had.position() == event.position()))
    }

    /// How many of them a subscriber with this cursor lacks, which had these ones `early`.
    pub(crate) fn count_lacking(&self, cursor: Position, early: &[Arc<PublishedEvent>]) -> usize {
        self.lacking(cursor, early).count()
    }

    /// What a subscriber with this cursor lacks, as far as it fits into one delivery.
    pub(crate) fn next_run(&mut self, cursor: Position) -> Option<Run> {
        let start = self.start_of(cursor);
        let first = self.events.get(start)?;
        let same_place = |run: &&Run| run.first().is_some_and(|begins| Arc::ptr_eq(begins, first));
        if let Some(run) = self.last_run.as_ref().filter(same_place) {
            return Some(run.clone());
        }
        let run = Run::fill(self.events.range(start..));
        self.last_run = Some(run.clone());
        Some(run)
    }

    /// An urgent one overtakes what waits, but nothing that happened to the same thing.
    fn next_of_lanes(&self, cursor: Position, early: &[Arc<PublishedEvent>]) -> Option<Taken> {
        let (mut urgent, mut normal, mut waiting) = (Vec::new(), Vec::new(), HashSet::new());
        for event in self.lacking(cursor, early) {
            if event.is_urgent() && !normal.is_empty() && !waiting.contains(&event.thing()) {
                urgent.push(event);
            } else {
                waiting.insert(event.thing());
                normal.push(event);
            }
        }
        if !urgent.is_empty() {
            Some(Taken::Urgent(Run::fill(urgent.into_iter())))
        } else if normal.is_empty() {
            None
        } else {
            Some(Taken::Events(Run::fill(normal.into_iter())))
        }
    }
}
