//! What a webhook says: `type`, `timestamp` and `data`
//! ([specification](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#payload-structure)),
//! where `data` is the event as streams have it.

use bytes::Bytes;
use serde::Serialize;
use serde_json::json;
use tidewatch_events::id::WebhookId;
use tidewatch_events::{AggregateType, Envelope, EventId, EventType, Metadata, Position, Timestamp};

/// The type of an event that is made to try an endpoint. It is in no stream.
pub const TEST_EVENT: EventType = EventType::from_static("webhook.test");

#[derive(Serialize)]
struct Body<'a> {
    r#type: &'a EventType,
    /// When it happened, not when it is sent.
    timestamp: Timestamp,
    data: &'a Envelope,
}

/// The body of a webhook that tells of this event.
///
/// # Errors
/// The event cannot be written as JSON.
pub fn body_of(event: &Envelope) -> Result<Bytes, serde_json::Error> {
    let body = Body { r#type: &event.event_type, timestamp: event.occurred_at, data: event };
    serde_json::to_vec(&body).map(Bytes::from)
}

/// An event that is made to try an endpoint: the same at each attempt, so that the same id has the same body.
#[must_use]
pub fn test_event(id: EventId, endpoint: WebhookId, at: Timestamp) -> Envelope {
    Envelope {
        event_id: id,
        event_type: TEST_EVENT,
        aggregate_type: AggregateType::from_static("Webhook"),
        aggregate_id: endpoint.to_string(),
        aggregate_version: 1,
        occurred_at: at,
        position: Position::START,
        payload: json!({ "message": "This is a test: nothing has happened." }),
        metadata: Metadata::default(),
    }
}
