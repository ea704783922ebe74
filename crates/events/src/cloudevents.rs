//! The event as a [CloudEvent 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md)
//! in [structured JSON](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/formats/json-format.md).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::event::Envelope;
use crate::id::{EventId, ProjectId};
use crate::kind::EventType;
use crate::position::Position;
use crate::timestamp::Timestamp;

/// Media type of one event in structured mode.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";
/// Media type of a JSON array of events.
pub const BATCH_CONTENT_TYPE: &str = "application/cloudevents-batch+json";

/// A CloudEvent 1.0. Extension attributes are lower case without separators, as the specification
/// asks, so Tidewatch's own read `aggregateversion`, `correlationid`, …
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CloudEvent {
    /// Always `1.0`.
    pub specversion: String,
    /// The event id.
    pub id: EventId,
    /// The project, as a URI reference: `/projects/prj_…`.
    pub source: String,
    /// The event type.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// What it happened to: `Settlement/stl_…`.
    pub subject: String,
    /// When it happened.
    pub time: Timestamp,
    /// Always `application/json`.
    pub datacontenttype: String,
    /// Extension: the aggregate's version.
    pub aggregateversion: i64,
    /// Extension: the position, as text, since CloudEvents integers have 32 bits.
    pub sequence: String,
    /// Extension: who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Extension: the business process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlationid: Option<String>,
    /// Extension: the event that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causationid: Option<String>,
    /// Extension "Distributed Tracing".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The payload.
    pub data: Value,
}

impl CloudEvent {
    /// The event of `project_id` as a CloudEvent.
    #[must_use]
    pub fn from_envelope(envelope: &Envelope, project_id: ProjectId) -> Self {
        let metadata = &envelope.metadata;
        Self {
            specversion: "1.0".to_owned(),
            id: envelope.event_id,
            source: format!("/projects/{project_id}"),
            kind: envelope.event_type.clone(),
            subject: format!("{}/{}", envelope.aggregate_type, envelope.aggregate_id),
            time: envelope.occurred_at,
            datacontenttype: "application/json".to_owned(),
            aggregateversion: envelope.aggregate_version,
            sequence: sequence(envelope.position),
            actor: metadata.actor.as_ref().map(ToString::to_string),
            correlationid: metadata.correlation_id.clone(),
            causationid: metadata.causation_id.map(|id| id.to_string()),
            traceparent: metadata.traceparent.clone(),
            data: envelope.payload.clone(),
        }
    }
}

/// The extension "Sequence" orders as text, hence the leading zeros.
fn sequence(position: Position) -> String {
    format!("{:020}", position.get())
}
