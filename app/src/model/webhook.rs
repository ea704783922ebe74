//! Webhooks: endpoints outside that are told of events, and how that went.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};
use tidewatch_events::{EventId, Position, Timestamp};

/// Why nothing is sent to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DisabledReason {
    /// Somebody wanted it so.
    Person,
    /// It answered 410: it wants nothing any more.
    Gone,
    /// For 5 days it has taken nothing of what it was sent.
    Failing,
}

impl DisabledReason {
    /// The reason as the database has it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }

    /// Reads what the database has.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        [Self::Person, Self::Gone, Self::Failing].into_iter().find(|reason| reason.as_str() == text)
    }
}

/// An endpoint of webhooks, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Which.
    pub id: WebhookId,
    /// Where it is told.
    pub url: String,
    /// What it is for, in the words of whoever made it.
    pub description: String,
    /// Of which event types, `settlement.*` allowed; none: of all that it may see.
    pub types: Vec<String>,
    /// What it may see: events that need no other permissions.
    pub permissions: Vec<String>,
    /// Whether it is told.
    pub enabled: bool,
    /// Since when it is not.
    pub disabled_at: Option<Timestamp>,
    /// Why it is not.
    pub disabled_reason: Option<DisabledReason>,
    /// Since when it has taken nothing of what it was sent.
    pub failing_since: Option<Timestamp>,
    /// Until then the secret before the last rotation signs, too.
    pub old_secret_until: Option<Timestamp>,
    /// Events on their way to it.
    pub pending: u64,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
}

/// An endpoint as somebody wants it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewWebhook {
    /// Where it is told: `https://…`.
    pub url: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Of which event types; none: of all that it may see.
    #[serde(default)]
    pub types: Vec<String>,
    /// What it may see; by default what its maker can read.
    #[serde(default)]
    pub permissions: Option<Vec<String>>,
}

/// What of an endpoint is changed; what is not there stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WebhookPatch {
    /// Where it is told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Of which event types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<String>>,
    /// What it may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub permissions: Option<Vec<String>>,
    /// Whether it is told. Enabled again, it is told of what happens from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// Where an event is on its way to an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum WebhookDeliveryState {
    /// It is sent, or sent again later.
    Pending,
    /// It was taken.
    Delivered,
    /// It was not taken, and is not sent again by itself.
    Failed,
    /// It is not sent, since the endpoint was disabled or may not see it any more.
    Cancelled,
}

/// The text is no state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be pending, delivered, failed or cancelled")]
pub struct ParseDeliveryStateError;

impl WebhookDeliveryState {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Delivered, Self::Failed, Self::Cancelled];

    /// The state as the database and addresses have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for WebhookDeliveryState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for WebhookDeliveryState {
    type Err = ParseDeliveryStateError;

    fn from_str(text: &str) -> Result<Self, ParseDeliveryStateError> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(ParseDeliveryStateError)
    }
}

/// An event on its way to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WebhookDelivery {
    /// Which: the `webhook-id` of every attempt.
    pub id: WebhookDeliveryId,
    /// To which endpoint.
    pub webhook_id: WebhookId,
    /// Which event.
    pub event_id: EventId,
    /// What happened.
    pub event_type: String,
    /// Its place in the project's stream; `None` for a test, which is in no stream.
    pub position: Option<Position>,
    /// Where it is.
    pub state: WebhookDeliveryState,
    /// How often it was sent.
    pub attempt_count: u32,
    /// When it is sent next.
    pub next_attempt_at: Option<Timestamp>,
    /// What the endpoint answered last.
    pub last_status: Option<u16>,
    /// Why it was not taken, or not sent.
    pub last_error: Option<String>,
    /// Since when it is on its way.
    pub created_at: Timestamp,
    /// When that came to an end.
    pub finished_at: Option<Timestamp>,
}

/// One time that an event was sent to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WebhookAttempt {
    /// Which time, from 1.
    pub number: u32,
    /// When it ended.
    pub at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: u64,
    /// What the endpoint answered.
    pub status: Option<u16>,
    /// Why it was not taken.
    pub error: Option<String>,
    /// The beginning of the answer's body.
    pub excerpt: String,
}

/// An event on its way to an endpoint, and each time that it was sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WebhookDeliveryDetail {
    /// The event on its way.
    #[serde(flatten)]
    pub delivery: WebhookDelivery,
    /// Each time that it was sent, the first one first.
    pub attempts: Vec<WebhookAttempt>,
}

/// A page of deliveries, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WebhookDeliveries {
    /// The deliveries.
    pub deliveries: Vec<WebhookDelivery>,
    /// `after` of the following page; `None` on the last.
    pub next: Option<WebhookDeliveryId>,
}

/// Which of an endpoint's deliveries are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WebhookQuery {
    /// In this state.
    pub state: Option<WebhookDeliveryState>,
    /// `next` of the page before.
    pub after: Option<WebhookDeliveryId>,
}

/// An endpoint with a page of its deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WebhookDetail {
    /// The endpoint.
    pub webhook: Webhook,
    /// The deliveries.
    pub deliveries: WebhookDeliveries,
}
