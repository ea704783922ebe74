//! Events and positions by number, for tests.

use serde_json::Value;
use tidewatch_events::{AggregateType, Envelope, EventId, EventType, Metadata, Position, Timestamp};
use uuid::Uuid;

/// The event at a position.
pub(super) fn event(number: u64) -> Envelope {
    Envelope {
        event_id: EventId::from_uuid(Uuid::from_u128(u128::from(number))),
        event_type: EventType::from_static("settlement.created"),
        aggregate_type: AggregateType::SETTLEMENT,
        aggregate_id: "stl".into(),
        aggregate_version: 1,
        occurred_at: Timestamp::from_unix_millis(0).expect("a time"),
        position: at(number),
        payload: Value::Null,
        metadata: Metadata::default(),
    }
}

/// The position with this number.
pub(super) fn at(number: u64) -> Position {
    Position::new(number).expect("a position")
}
