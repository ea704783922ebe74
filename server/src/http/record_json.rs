//! A record on the wire.

use serde::Serialize;
use tidewatch_events::{PermissionSet, Position};
use tidewatch_modules::{Module, Record};

/// A record as API clients receive it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RecordJson {
    /// The record.
    #[serde(flatten)]
    pub record: Record,
    /// The names of the moves that whoever asks may have it make now.
    pub moves: Vec<String>,
}

impl RecordJson {
    /// A record of this module, for whoever holds these permissions.
    #[must_use]
    pub fn of(module: &Module, record: Record, held: &PermissionSet) -> Self {
        let moves = module.moves_for(&record.status, held).map(|rule| rule.name.to_string()).collect();
        Self { record, moves }
    }
}

/// A record with a position of the stream that lies before its last event was published or right behind it: a
/// stream opened `after` it misses nothing that comes later.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PositionedRecord {
    /// The record.
    #[serde(flatten)]
    pub record: RecordJson,
    /// Where to go on from.
    pub position: Position,
}
