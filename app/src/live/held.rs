//! What comes while somebody has the page stand still. Pure.

use super::feed::{CatchUp, Feed};
use tidewatch_events::Envelope;

/// Events that wait until the page goes on, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct HeldBack {
    events: Vec<Envelope>,
    /// More came than is kept, or the stream has a gap: the data is read anew.
    is_lost: bool,
}

impl HeldBack {
    /// Most events that wait; a page that has missed more is read anew sooner.
    const MOST: usize = Feed::<()>::CAPACITY;

    /// Keeps what has come.
    pub(super) fn push(&mut self, catch_up: CatchUp) {
        match catch_up {
            CatchUp::Events(events) if !self.is_lost && self.events.len() + events.len() <= Self::MOST => {
                self.events.extend(events);
            }
            CatchUp::Events(_) | CatchUp::Gap => {
                self.is_lost = true;
                self.events.clear();
            }
        }
    }

    /// Everything that waits, which waits no longer.
    pub(super) fn take(&mut self) -> CatchUp {
        let waiting = std::mem::take(self);
        if waiting.is_lost { CatchUp::Gap } else { CatchUp::Events(waiting.events) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::testing::event;

    fn some(numbers: impl IntoIterator<Item = u64>) -> CatchUp {
        CatchUp::Events(numbers.into_iter().map(event).collect())
    }

    #[test]
    fn gives_back_what_came_once_and_in_order() {
        let mut held = HeldBack::default();
        held.push(some([3]));
        held.push(some([1, 2]));
        assert_eq!(held.take(), some([3, 1, 2]));
        assert_eq!(held.take(), some([]));
    }

    #[test]
    fn a_gap_and_what_is_too_much_are_read_anew() {
        let mut held = HeldBack::default();
        held.push(some([1]));
        held.push(CatchUp::Gap);
        held.push(some([2]));
        assert_eq!(held.take(), CatchUp::Gap);
        for number in 0..=HeldBack::MOST as u64 {
            held.push(some([number]));
        }
        assert_eq!(held.take(), CatchUp::Gap);
        assert_eq!(held.take(), some([]), "and it begins anew");
    }
}
