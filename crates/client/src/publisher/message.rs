//! What is sent for one event.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;
use tidewatch_events::event::Priority;
use tidewatch_events::{AggregateType, Channel, EventId, EventType, Permission, SubjectRef, Timestamp};

/// An event to be published, as it is sent. [`crate::Draft`] makes them; so does `Message::new` with fields set after.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Message {
    /// Where to.
    pub channel_name: Channel,
    /// What the event carries.
    pub payload: Value,
    /// What happened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_type: Option<EventType>,
    /// The kind of thing that it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate_type: Option<AggregateType>,
    /// Which one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate_id: Option<String>,
    /// Its version after the change, from 1; without it, the service counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aggregate_version: Option<i64>,
    /// Whom it is for; empty: everyone in the project who has the permissions.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub audience: BTreeSet<SubjectRef>,
    /// A reader needs all of them; `None`: what the catalog says of the type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<BTreeSet<Permission>>,
    /// How urgent it is.
    #[serde(skip_serializing_if = "is_normal")]
    pub priority: Priority,
    /// The business process that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The event that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// When it happened; without it, when the service takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
}

fn is_normal(priority: &Priority) -> bool {
    *priority == Priority::Normal
}

impl Message {
    /// A message for this channel with this payload and nothing else.
    #[must_use]
    pub const fn new(channel_name: Channel, payload: Value) -> Self {
        Self {
            channel_name,
            payload,
            event_type: None,
            aggregate_type: None,
            aggregate_id: None,
            aggregate_version: None,
            audience: BTreeSet::new(),
            permissions: None,
            priority: Priority::Normal,
            correlation_id: None,
            causation_id: None,
            occurred_at: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_was_said_is_sent() {
        let mut message = Message::new("orders".parse().expect("a name"), json!({ "a": 1 }));
        assert_eq!(json!(message), json!({ "channelName": "orders", "payload": { "a": 1 } }));
        message.priority = Priority::High;
        message.audience.insert(SubjectRef::staff());
        message.permissions = Some([Permission::ORDERS_READ].into());
        assert_eq!(
            json!(message),
            json!({
                "channelName": "orders",
                "payload": { "a": 1 },
                "audience": ["role:staff"],
                "permissions": ["orders.read"],
                "priority": "high",
            })
        );
        message.permissions = Some(BTreeSet::new());
        assert_eq!(json!(message)["permissions"], json!([]), "none is not the same as nothing said");
    }
}
