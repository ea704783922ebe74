//! The last events that a tab heard, for those who come later.

use std::collections::VecDeque;

use tidewatch_events::{Envelope, Position};

use crate::live::heard::Heard;

#[derive(Debug, Clone)]
struct Kept {
    id: String,
    envelope: Box<Envelope>,
}

/// The last events, in bounded memory, in the order in which they came.
#[derive(Debug, Clone)]
pub(super) struct Recent {
    kept: VecDeque<Kept>,
    capacity: usize,
    complete_behind: Position,
}

impl Recent {
    pub(super) const fn with_capacity(capacity: usize) -> Self {
        // Nothing is kept, and nothing is said to be.
        Self { kept: VecDeque::new(), capacity, complete_behind: Position::MAX }
    }

    /// Every event behind it is kept or still to come.
    pub(super) const fn complete_behind(&self) -> Position {
        self.complete_behind
    }

    /// What comes from now on comes behind `behind`; `None` where nobody knows yet.
    pub(super) fn restart(&mut self, behind: Option<Position>) {
        self.kept.clear();
        self.complete_behind = behind.unwrap_or(Position::MAX);
    }

    /// Lets go of all events, of those that overtook others as well.
    pub(super) fn forget(&mut self) {
        while self.let_go_of_the_oldest() {}
    }

    /// Events up to `position` may have gone by.
    pub(super) fn skip_to(&mut self, position: Position) {
        self.forget();
        self.complete_behind = self.complete_behind.max(position);
    }

    pub(super) fn push(&mut self, id: &str, envelope: &Envelope) {
        self.kept.push_back(Kept { id: id.to_owned(), envelope: Box::new(envelope.clone()) });
        if self.kept.len() > self.capacity {
            self.let_go_of_the_oldest();
        }
    }

    /// What is kept behind `position`.
    pub(super) fn behind(&self, position: Position) -> Vec<Heard> {
        let missed = self.kept.iter().filter(|kept| kept.envelope.position > position);
        missed.map(|kept| Heard::Event { id: kept.id.clone(), envelope: kept.envelope.clone() }).collect()
    }

    fn let_go_of_the_oldest(&mut self) -> bool {
        let Some(gone) = self.kept.pop_front() else { return false };
        self.complete_behind = self.complete_behind.max(gone.envelope.position);
        true
    }
}
