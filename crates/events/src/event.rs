//! The event: its envelope on the wire, what decides who gets it, and a new one before it is recorded.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::access::{Actor, Permission, SubjectRef};
use crate::catalog::EventPayload;
use crate::id::{EventId, ProjectId};
use crate::kind::{AggregateType, EventType};
use crate::position::Position;
use crate::timestamp::Timestamp;

/// Largest payload of an event, in bytes of JSON. The database holds the same limit as a CHECK.
pub const MAX_PAYLOAD_BYTES: usize = 256 * 1024;

/// A published event as readers receive it: one JSON object, camelCase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    /// Unique; readers drop what they have seen by it.
    pub event_id: EventId,
    /// What happened.
    pub event_type: EventType,
    /// The kind of thing that it happened to.
    pub aggregate_type: AggregateType,
    /// Which one.
    pub aggregate_id: String,
    /// The aggregate's version after the change; readers drop what is older than what they hold.
    pub aggregate_version: i64,
    /// When it happened, by the clock of the one who recorded it.
    pub occurred_at: Timestamp,
    /// Its place in the project's stream.
    pub position: Position,
    /// What the type's catalog entry says.
    pub payload: Value,
    /// Where it came from.
    pub metadata: Metadata,
}

impl Envelope {
    /// The payload as the typed one of the catalog; `None` when the event is of another type.
    ///
    /// # Errors
    /// The payload does not have the shape that the catalog gives for the type.
    pub fn payload<P: EventPayload>(&self) -> Option<Result<P, serde_json::Error>> {
        (self.event_type.as_str() == P::EVENT_TYPE.as_str()).then(|| P::deserialize(&self.payload))
    }
}

/// Where an event came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// Who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actor: Option<Actor>,
    /// Who signed the token by which that was done, where the actor has not shown who they are: it is this one's word.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<Actor>,
    /// The business process that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation_id: Option<String>,
    /// The event that led to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub causation_id: Option<EventId>,
    /// The trace that it belongs to (W3C Trace Context).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

/// How urgent an event is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// In the order of positions.
    #[default]
    Normal,
    /// May overtake queued normal ones of other aggregates.
    High,
}

/// The name of a stream for client applications. One that begins with `private` needs a token.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(String);

/// The text is no channel name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 1 to 200 characters out of letters, digits and . _ - : /")]
pub struct ParseChannelError;

impl Channel {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a reader needs a signed token for it.
    #[must_use]
    pub fn is_private(&self) -> bool {
        self.0.starts_with("private")
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Channel {
    type Err = ParseChannelError;

    fn from_str(text: &str) -> Result<Self, ParseChannelError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/".contains(&byte);
        if (1..=200).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseChannelError)
        }
    }
}

impl Serialize for Channel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What decides who gets an event. Never sent to readers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing {
    /// The tenant.
    pub project_id: ProjectId,
    /// A reader needs all of them.
    pub permissions: BTreeSet<Permission>,
    /// Whom it is for; empty: everyone in the project who has the permissions.
    pub audience: BTreeSet<SubjectRef>,
    /// The channels that it goes out on.
    pub channels: BTreeSet<Channel>,
    /// How urgent it is.
    pub priority: Priority,
}

impl Routing {
    /// For everyone in the project: no permission, audience or channel.
    #[must_use]
    pub const fn in_project(project_id: ProjectId) -> Self {
        Self {
            project_id,
            permissions: BTreeSet::new(),
            audience: BTreeSet::new(),
            channels: BTreeSet::new(),
            priority: Priority::Normal,
        }
    }

    /// The same, going out on this channel as well; where that is private, for those alone whom a token
    /// has let into it.
    #[must_use]
    pub fn on_channel(mut self, channel: Channel) -> Self {
        if channel.is_private() {
            self.audience.insert(SubjectRef::Channel(channel.clone()));
        }
        self.channels.insert(channel);
        self
    }

    /// A private channel whose events this routing would show to all the project: it has an audience
    /// that leaves that channel out, or none.
    #[must_use]
    pub fn unguarded_channel(&self) -> Option<&Channel> {
        let guarded = |channel: &Channel| {
            !channel.is_private() || self.audience.contains(&SubjectRef::Channel(channel.clone()))
        };
        self.channels.iter().find(|channel| !guarded(channel))
    }
}

/// A published event with what routes it: what the log holds and the hub fans out.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// What readers receive.
    pub envelope: Envelope,
    /// Who they are.
    pub routing: Routing,
}

/// An event before it is recorded: no id and no position yet.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    /// What happened.
    pub event_type: EventType,
    /// The kind of thing that it happened to.
    pub aggregate_type: AggregateType,
    /// Which one.
    pub aggregate_id: String,
    /// The aggregate's version after the change, from 1.
    pub aggregate_version: i64,
    /// When it happened; `None`: when it is recorded.
    pub occurred_at: Option<Timestamp>,
    /// What the type's catalog entry says.
    pub payload: Value,
    /// Where it came from.
    pub metadata: Metadata,
    /// Who gets it.
    pub routing: Routing,
}

impl NewEvent {
    /// An event of the catalog. Its permission is the catalog's, its audience everyone who holds it.
    ///
    /// # Errors
    /// The payload cannot be written as JSON (a map with keys that are not text).
    pub fn of<P: EventPayload>(
        project_id: ProjectId,
        aggregate_id: impl fmt::Display,
        aggregate_version: i64,
        payload: &P,
    ) -> Result<Self, serde_json::Error> {
        let mut routing = Routing::in_project(project_id);
        routing.permissions.insert(P::PERMISSION);
        Ok(Self {
            event_type: P::EVENT_TYPE,
            aggregate_type: P::AGGREGATE_TYPE,
            aggregate_id: aggregate_id.to_string(),
            aggregate_version,
            occurred_at: None,
            payload: serde_json::to_value(payload)?,
            metadata: Metadata::default(),
            routing,
        })
    }

    /// The same event with this origin.
    #[must_use]
    pub fn with_metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }
}
