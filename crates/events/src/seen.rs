//! Which events were delivered already.

use std::collections::{HashSet, VecDeque};

use crate::id::EventId;

/// The last ids that passed, in bounded memory: what knows repeats after a reconnect.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    ids: HashSet<EventId>,
    order: VecDeque<EventId>,
}

impl Seen {
    /// How many ids are remembered: more than one reconnect repeats in practice. What is older is caught by position.
    const CAPACITY: usize = 2_048;

    /// Remembers `id`; `false` when it was there already.
    pub fn insert(&mut self, id: EventId) -> bool {
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
    pub fn clear(&mut self) {
        self.ids.clear();
        self.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn knows_the_last_ones_in_bounded_memory() {
        let id = |n: usize| EventId::from_uuid(Uuid::from_u128(n as u128));
        let mut seen = Seen::default();
        for n in 0..Seen::CAPACITY * 3 {
            assert!(seen.insert(id(n)));
            assert!(!seen.insert(id(n)));
        }
        assert_eq!(seen.ids.len(), Seen::CAPACITY);
        assert!(seen.insert(id(0)), "the oldest are forgotten");
    }

    #[test]
    fn knows_none_once_cleared() {
        let id = EventId::from_uuid(Uuid::nil());
        let mut seen = Seen::default();
        assert!(seen.insert(id));
        seen.clear();
        assert!(seen.insert(id));
    }
}
