//! The rules that make notifications of events.

use serde::{Deserialize, Serialize};
use tidewatch_events::Timestamp;
use tidewatch_events::id::{NotificationRuleId, OrganizationId, UserId};

use super::NotificationPriority;

/// Whom a rule tells. Whoever is told must be one of those to whom the event is addressed, too: a rule for a role
/// tells nobody of another organization's affairs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum NotificationAudience {
    /// One person.
    User {
        /// Who.
        id: UserId,
    },
    /// Everybody in an organization.
    Organization {
        /// Which.
        id: OrganizationId,
    },
    /// Everybody of a role.
    Role {
        /// Its name.
        name: String,
    },
    /// Whoever the event's payload names at this JSON Pointer (RFC 6901): `usr_…` or `org_…`, or a list of those.
    Payload {
        /// Where in the payload.
        pointer: String,
    },
    /// The persons and organizations to whom the event is addressed.
    Event,
}

impl NotificationAudience {
    /// In words; `name_of` knows what people and organizations are called, by their ids as text.
    #[must_use]
    pub fn in_words(&self, name_of: impl Fn(&str) -> Option<String>) -> String {
        let called = |id: String| name_of(&id).unwrap_or(id);
        match self {
            Self::User { id } => called(id.to_string()),
            Self::Organization { id } => format!("everybody of {}", called(id.to_string())),
            Self::Role { name } => format!("everybody with the role {name}"),
            Self::Payload { pointer } => format!("whoever {pointer} names"),
            Self::Event => "whom the event is addressed to".to_owned(),
        }
    }
}

/// How a value is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConditionOperator {
    /// It is this.
    Equals,
    /// It is something else, or not there.
    NotEquals,
    /// It is a number, and greater.
    GreaterThan,
    /// It is a number, and less.
    LessThan,
    /// It is a text that holds this, whatever the case.
    Contains,
    /// It is there, and not null.
    Exists,
}

/// What has to be true of an event's payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationCondition {
    /// Where in the payload, as a JSON Pointer (RFC 6901).
    pub pointer: String,
    /// How it is compared.
    pub operator: ConditionOperator,
    /// With what; null for `exists`.
    #[serde(default)]
    pub value: serde_json::Value,
}

/// What a notification says. `{{/pointer}}` stands for what the payload has there, `{{type}}`, `{{id}}`
/// (the aggregate's) and `{{time}}` for those of the event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NotificationTemplate {
    /// In a line.
    pub title: String,
    /// Beyond that.
    #[serde(default)]
    pub body: String,
    /// Where to go on: a path of this dashboard, or an `https:` address.
    #[serde(default)]
    pub link: String,
    /// What belongs together; empty: it stands alone.
    #[serde(default)]
    pub group: String,
}

/// Who is told next, while nobody has acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EscalationStep {
    /// Seconds after the step before it: 1 to 604,800.
    pub after_seconds: u32,
    /// Whom.
    pub audience: Vec<NotificationAudience>,
}

/// What a rule says: an event of these types for which the conditions hold becomes a notification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewNotificationRule {
    /// What it is called; one of a kind in the project.
    pub name: String,
    /// Of which event types, `settlement.*` allowed. Events of notifications themselves make none.
    pub types: Vec<String>,
    /// All of these hold.
    #[serde(default)]
    pub conditions: Vec<NotificationCondition>,
    /// Whom it tells.
    pub audience: Vec<NotificationAudience>,
    /// What it says.
    pub template: NotificationTemplate,
    /// How urgent that is.
    #[serde(default)]
    pub priority: NotificationPriority,
    /// Whether somebody has to say that it is done.
    #[serde(default)]
    pub must_acknowledge: bool,
    /// Who is told next while nobody does.
    #[serde(default)]
    pub escalation: Vec<EscalationStep>,
}

/// What of a rule is changed; what is not there stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct NotificationRulePatch {
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Of which event types.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub types: Option<Vec<String>>,
    /// What has to hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conditions: Option<Vec<NotificationCondition>>,
    /// Whom it tells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<Vec<NotificationAudience>>,
    /// What it says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template: Option<NotificationTemplate>,
    /// How urgent that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<NotificationPriority>,
    /// Whether somebody has to say that it is done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub must_acknowledge: Option<bool>,
    /// Who is told next while nobody does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub escalation: Option<Vec<EscalationStep>>,
    /// Whether it makes notifications. Enabled again, it looks at what happens from then on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// The version that this was written for: where there is another one, nothing is changed. `None`: whatever there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
}

/// A rule that turns events into notifications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NotificationRule {
    /// Which.
    pub id: NotificationRuleId,
    /// Goes up by one with each change.
    pub version: u64,
    /// What it says.
    #[serde(flatten)]
    pub rule: NewNotificationRule,
    /// Whom it tells, in words and in the order of `audience`: people and organizations by their names, as long as they
    /// are of the project.
    pub tells: Vec<String>,
    /// Whether it makes notifications.
    pub enabled: bool,
    /// How many of those that it has made are kept; 1,000 stands for as many or more.
    pub sent: u64,
    /// Who wrote it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Who changed it last.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
}
