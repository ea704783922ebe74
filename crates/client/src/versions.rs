//! Which version of each thing one holds.

use std::collections::HashMap;

use tidewatch_events::{AggregateType, Envelope};

/// Tells events that are newer than what one holds from those that are not, by `aggregateVersion`.
///
/// A stream gives the events of one aggregate in their order and each of them once, so it drops none by version. This is
/// for whoever reads data *and* follows the stream: the data read after a [`crate::Gap`] may contain what the next events
/// tell of.
///
/// ```
/// # use tidewatch_client::{Versions, events::AggregateType};
/// let mut versions = Versions::default();
/// versions.hold(AggregateType::SETTLEMENT, "stl_01h455vb4pex5vsknk084sn02q", 7); // read just now
/// // while let Some(Notice::Event(event)) = … { if versions.advance(&event) { apply(event) } }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Versions {
    held: HashMap<AggregateType, HashMap<String, i64>>,
}

impl Versions {
    /// Data of this version is held now, whatever was before.
    pub fn hold(&mut self, aggregate_type: AggregateType, aggregate_id: impl Into<String>, version: i64) {
        self.held.entry(aggregate_type).or_default().insert(aggregate_id.into(), version);
    }

    /// Takes the event's version for the one that is held; `false`, and nothing is done, when that is as new already.
    pub fn advance(&mut self, event: &Envelope) -> bool {
        let of_type = self.held.entry(event.aggregate_type.clone()).or_default();
        match of_type.get_mut(&event.aggregate_id) {
            Some(version) if *version >= event.aggregate_version => false,
            Some(version) => {
                *version = event.aggregate_version;
                true
            }
            None => {
                of_type.insert(event.aggregate_id.clone(), event.aggregate_version);
                true
            }
        }
    }

    /// Forgets everything: before the state is read anew.
    pub fn clear(&mut self) {
        self.held.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::testing::event;

    #[test]
    fn lets_newer_ones_through() {
        let of = |number, version| Envelope { aggregate_version: version, ..event(number) };
        let mut versions = Versions::default();
        versions.hold(event(1).aggregate_type, event(1).aggregate_id, 3);
        let passed: Vec<bool> =
            [(1, 2), (2, 3), (3, 4), (4, 6), (5, 5)].map(|(n, v)| versions.advance(&of(n, v))).into();
        assert_eq!(passed, [false, false, true, true, false]);
        versions.clear();
        assert!(versions.advance(&of(6, 1)));
    }
}
