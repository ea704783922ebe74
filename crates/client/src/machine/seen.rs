//! Which events were delivered already.

use std::collections::{HashSet, VecDeque};

use tidewatch_events::EventId;

/// The last ids that passed, in bounded memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Seen {
    ids: HashSet<EventId>,
    order: VecDeque<EventId>,
}

impl Seen {
    /// How many ids are remembered: more than one reconnect repeats in practice. What is older is caught by position.
    const CAPACITY: usize = 2_048;

    /// Remembers `id`; `false` when it was there already.
    pub(super) fn insert(&mut self, id: EventId) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > Self::CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.ids.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::testing::event;

    #[test]
    fn knows_the_last_ones_in_bounded_memory() {
        let id = |n: usize| event(n as u64).event_id;
        let mut seen = Seen::default();
        for n in 0..Seen::CAPACITY * 3 {
            assert!(seen.insert(id(n)));
            assert!(!seen.insert(id(n)));
        }
        assert_eq!(seen.ids.len(), Seen::CAPACITY);
        assert!(seen.insert(id(0)), "the oldest are forgotten");
    }
}
