//! Events for tests.

use serde_json::json;
use tidewatch_events::{Envelope, Position};

/// The position with this number.
pub(crate) fn at(number: u64) -> Position {
    Position::new(number).expect("a position")
}

/// The event at this position: always the same one.
pub(crate) fn event(number: u64) -> Envelope {
    serde_json::from_value(json!({
        "eventId": format!("evt_{:032x}", u128::from(number) + (1 << 80)),
        "eventType": "order.created",
        "aggregateType": "Order",
        "aggregateId": "ord_1",
        "aggregateVersion": number,
        "occurredAt": "2026-11-20T20:43:52.832Z",
        "position": number,
        "payload": { "number": number },
        "metadata": {},
    }))
    .expect("an event")
}
