//! The event that all systems carry: about 300 bytes of JSON, numbered.

use serde_json::json;
use tidewatch_client::{ChannelPublisher, Draft};
use tidewatch_events::{AggregateType, EventType, Metadata, NewEvent, Permission, ProjectId, Routing};

/// What stands in front of an event's number on the wire.
pub const MARKER: &str = "\"benchSeq\":";
/// Digits of each number: all have as many.
pub const DIGITS: usize = 10;
/// The first number, so that all have ten digits.
pub const FIRST_NUMBER: u64 = 1_000_000_000;

/// The type of the events.
pub const EVENT_TYPE: EventType = EventType::from_static("settlement.status_changed");

/// Bytes of one message of an event stream (`id:`, `event:`, `data:`, blank line) that every system
/// is given to send; the report has what was measured on the wire.
const MESSAGE_BYTES: usize = 376;
/// Padding with which Tidewatch's own message is that long.
const TIDEWATCH_PADDING: usize = 17;
/// The type of the events that the SDK publishes.
const SDK_EVENT_TYPE: &str = "order.status_changed";
/// Padding with which one of them has 300 bytes of JSON.
const SDK_PADDING: usize = 147;

/// An event to be published.
#[derive(Debug, Clone, Copy)]
pub struct BenchEvent {
    /// Its number.
    pub number: u64,
    /// Whom it concerns: those who ask for this topic, or those who ask for none.
    pub topic: Option<u32>,
}

impl BenchEvent {
    /// The aggregate that it is of. Without a topic there are a thousand.
    #[must_use]
    pub fn aggregate(&self) -> String {
        self.topic.map_or_else(|| format!("bench-{:04}", self.number % 1000), aggregate_of_topic)
    }

    /// As Tidewatch records it.
    #[must_use]
    pub fn recorded(&self, project: ProjectId) -> NewEvent {
        let mut routing = Routing::in_project(project);
        routing.permissions.insert(Permission::SETTLEMENTS_READ);
        NewEvent {
            event_type: EVENT_TYPE,
            aggregate_type: AggregateType::SETTLEMENT,
            aggregate_id: self.aggregate(),
            aggregate_version: i64::try_from(self.number).unwrap_or(i64::MAX),
            occurred_at: None,
            payload: json!({ "benchSeq": self.number, "pad": padding(TIDEWATCH_PADDING) }),
            metadata: Metadata::default(),
            routing,
        }
    }

    /// As a peer is given it: the same envelope, padded so that a message with `framing` bytes around
    /// the data is as long as Tidewatch's.
    #[must_use]
    pub fn data(&self, framing: usize) -> String {
        let wanted = MESSAGE_BYTES.saturating_sub(framing);
        let bare = self.envelope(0).len();
        self.envelope(wanted.saturating_sub(bare))
    }

    /// As the SDK publishes it: of an order, since Tidewatch takes no settlement's event from without.
    pub fn draft(&self, channel: &ChannelPublisher) -> Draft {
        let payload = json!({ "benchSeq": self.number, "pad": padding(SDK_PADDING) });
        channel.event(SDK_EVENT_TYPE, payload).aggregate("Order", self.aggregate())
    }

    fn envelope(&self, pad: usize) -> String {
        let Self { number, .. } = self;
        format!(
            "{{\"eventType\":\"{EVENT_TYPE}\",\"aggregateType\":\"Settlement\",\"aggregateId\":\"{}\",\
             \"aggregateVersion\":{number},\"payload\":{{{MARKER}{number},\"pad\":\"{}\"}},\"metadata\":{{}}}}",
            self.aggregate(),
            padding(pad),
        )
    }
}

/// The aggregate by which Tidewatch's readers ask for a topic.
#[must_use]
pub fn aggregate_of_topic(topic: u32) -> String {
    format!("bench-{topic:04}")
}

fn padding(bytes: usize) -> String {
    "x".repeat(bytes)
}

#[cfg(test)]
mod tests {
    use tidewatch_client::Publisher;

    use super::*;

    #[test]
    fn messages_are_equally_long_whatever_stands_around_them() {
        let event = BenchEvent { number: FIRST_NUMBER, topic: None };
        for framing in [0, 8, 60] {
            assert_eq!(event.data(framing).len() + framing, MESSAGE_BYTES, "{framing}");
        }
    }

    #[test]
    fn the_number_stands_behind_the_marker() {
        let event = BenchEvent { number: FIRST_NUMBER + 7, topic: Some(3) };
        let expected = format!("{MARKER}1000000007,");
        assert!(event.data(0).contains(&expected));
        let recorded = event.recorded(ProjectId::from_uuid(uuid::Uuid::nil()));
        assert!(recorded.payload.to_string().contains(&expected));
    }

    #[test]
    fn what_the_sdk_sends_has_300_bytes() {
        let channel = Publisher::new("http://bench", "key").expect("a publisher").channel("orders");
        let message = BenchEvent { number: FIRST_NUMBER, topic: None }.draft(&channel).into_message();
        assert_eq!(json!(message.expect("an event")).to_string().len(), 300);
    }
}
