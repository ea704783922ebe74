//! Delivery proof: to whom an event was given, when, and who has acknowledged it.

use serde::{Deserialize, Serialize};
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};
use tidewatch_events::{EventId, EventType, Position, Timestamp};

/// What became of one event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct DeliveryProof {
    /// The event.
    pub event_id: EventId,
    /// Its type.
    pub event_type: EventType,
    /// Its place in the stream.
    pub position: Position,
    /// When the transaction that committed it recorded it.
    pub committed_at: Timestamp,
    /// When it could be read from then on.
    pub published_at: Timestamp,
    /// Who was given it, the first ones first.
    pub readers: Vec<ProofReader>,
    /// Who has acknowledged it through a durable subscription.
    pub acknowledgements: Vec<ProofAcknowledgement>,
    /// Which webhooks it was sent by.
    pub webhooks: Vec<ProofWebhook>,
    /// There were more connections than were looked at.
    pub more: bool,
}

/// Somebody who was given an event: it was written to their connection.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProofReader {
    /// Who: `user:usr_…` or `key:key_…`.
    pub actor: String,
    /// What that one is called.
    pub name: String,
    /// By which transports: `sse`, `poll`, `socketio`.
    pub via: Vec<String>,
    /// By which instances.
    pub instances: Vec<String>,
    /// On how many connections.
    pub connections: u32,
    /// When: as it was published, to who was connected then; to others when they connected.
    pub given_at: Timestamp,
    /// Whether somebody of that name was connected when it was published.
    pub live: bool,
}

/// Somebody who has said that the event is done.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProofAcknowledgement {
    /// Who.
    pub actor: String,
    /// What that one is called.
    pub name: String,
    /// For which durable subscription.
    pub subscription: String,
    /// When.
    pub acknowledged_at: Timestamp,
}

/// A webhook of an event.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ProofWebhook {
    /// The endpoint.
    pub webhook: WebhookId,
    /// The delivery.
    pub delivery: WebhookDeliveryId,
    /// Where it went.
    pub url: String,
    /// `pending`, `delivered`, `failed` or `cancelled`.
    pub state: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When the receiver took it, or it was given up.
    pub finished_at: Option<Timestamp>,
}
