//! What forms and API calls can change in a project.

use serde::{Deserialize, Serialize};
use tidewatch_events::id::{
    ApiKeyId, ConnectionId, InvitationId, JobId, NotificationRuleId, OrganizationId, SessionId, UserId,
    WebhookDeliveryId, WebhookId,
};

use tidewatch_events::job::JobState;

use super::NotificationNotation;

/// What can be changed in a project by a form. Pages and API say it in the same words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ProjectChange {
    /// Ask somebody to join. Answers with the link, once.
    InvitePerson {
        /// Their address.
        email: String,
        /// What they will be.
        #[serde(default)]
        roles: Vec<String>,
        /// The organizations that they will belong to.
        #[serde(default)]
        organizations: Vec<OrganizationId>,
    },
    /// Take an invitation back.
    CancelInvitation {
        /// Which.
        id: InvitationId,
    },
    /// Say what a person is.
    SetPerson {
        /// Who.
        id: UserId,
        /// All roles that they have from now on.
        #[serde(default)]
        roles: Vec<String>,
        /// All organizations that they belong to from now on.
        #[serde(default)]
        organizations: Vec<OrganizationId>,
    },
    /// Keep a person out, or let them in again.
    SetDisabled {
        /// Who.
        id: UserId,
        /// Whether they are kept out.
        disabled: bool,
    },
    /// End a person's membership.
    RemovePerson {
        /// Who.
        id: UserId,
    },
    /// Make a role of the project's own, or say anew what it is.
    SaveRole {
        /// Its name.
        name: String,
        /// What people call it.
        title: String,
        /// What it allows.
        #[serde(default)]
        permissions: Vec<String>,
        /// Whether it reaches no further than what is the person's own.
        #[serde(default)]
        own_only: bool,
    },
    /// Delete a role that nobody has.
    DeleteRole {
        /// Its name.
        name: String,
    },
    /// Make an organization.
    CreateOrganization {
        /// What it is called.
        name: String,
    },
    /// Call an organization something else.
    RenameOrganization {
        /// Which.
        id: OrganizationId,
        /// What it is called from now on.
        name: String,
    },
    /// Make an API key. Answers with the key, once.
    CreateApiKey {
        /// What it is called.
        name: String,
        /// What it may.
        #[serde(default)]
        scopes: Vec<String>,
        /// Days until it ends by itself; `None`: never.
        #[serde(default)]
        expires_in_days: Option<u32>,
    },
    /// Make a key that takes another's place. Answers with the new key, once.
    RotateApiKey {
        /// Which.
        id: ApiKeyId,
        /// Hours for which the old one counts yet.
        overlap_hours: u32,
    },
    /// Delete an API key: it counts no longer.
    DeleteApiKey {
        /// Which.
        id: ApiKeyId,
    },
    /// End a login of one's own.
    EndSession {
        /// Which.
        id: SessionId,
    },
    /// End all logins of one's own but the one that asks.
    EndOtherSessions,
    /// Call the project something else.
    RenameProject {
        /// What it is called from now on.
        name: String,
    },
    /// End a live connection. Its client is told, and may connect again.
    EndConnection {
        /// Which.
        id: ConnectionId,
    },
    /// Publish an event on a channel.
    PublishEvent {
        /// Where it goes out.
        channel_name: String,
        /// What happened; empty: `message.published`.
        #[serde(default)]
        event_type: String,
        /// JSON, as it was written.
        payload: String,
    },
    /// Sign a token that lets its bearer into a private channel. Answers with the token, once.
    SignToken {
        /// Which channel.
        channel_name: String,
        /// Whom it is for; empty: whoever has it.
        #[serde(default)]
        subject: String,
    },
    /// Make an endpoint for webhooks. Answers with its secret, once.
    CreateWebhook {
        /// Where it is told.
        url: String,
        /// What it is for.
        #[serde(default)]
        description: String,
        /// Of which event types, with commas between them; empty: of all that it may see.
        #[serde(default)]
        types: String,
    },
    /// Tell an endpoint, or tell it no longer.
    SetWebhookEnabled {
        /// Which.
        id: WebhookId,
        /// Whether it is told.
        enabled: bool,
    },
    /// Make the secret that signs an endpoint's webhooks from now on. Answers with it, once.
    RotateWebhookSecret {
        /// Which.
        id: WebhookId,
        /// Hours for which the old one signs yet.
        overlap_hours: u32,
    },
    /// Delete an endpoint with all that is known of it.
    DeleteWebhook {
        /// Which.
        id: WebhookId,
    },
    /// Send an endpoint a test.
    TestWebhook {
        /// Which.
        id: WebhookId,
    },
    /// Send a delivery again.
    ResendDelivery {
        /// Of which endpoint.
        webhook_id: WebhookId,
        /// Which.
        id: WebhookDeliveryId,
    },
    /// Make a rule that turns events into notifications, or say anew what it says. Lists are written as
    /// [`super::NotificationNotation`] reads them.
    SaveNotificationRule {
        /// Which; `None` makes one.
        #[serde(default)]
        id: Option<NotificationRuleId>,
        /// The version that the form was filled with; `None`: whatever there is.
        #[serde(default)]
        expected_version: Option<u64>,
        /// What it says, as text.
        rule: Box<NotificationNotation>,
    },
    /// Have a rule make notifications, or none any more.
    SetNotificationRuleEnabled {
        /// Which.
        id: NotificationRuleId,
        /// Whether it does.
        enabled: bool,
    },
    /// Delete a rule. What it has made stays.
    DeleteNotificationRule {
        /// Which.
        id: NotificationRuleId,
    },
    /// Have a job done again that has come to its end.
    RetryJob {
        /// Which.
        id: JobId,
    },
    /// Call a job off.
    CancelJob {
        /// Which.
        id: JobId,
    },
    /// Have all finished jobs of a list done again.
    RetryJobs {
        /// In this state.
        state: JobState,
        /// Of this queue.
        #[serde(default)]
        queue: Option<String>,
        /// Of this kind.
        #[serde(default)]
        kind: Option<String>,
    },
    /// Call all unfinished jobs of a list off.
    CancelJobs {
        /// In this state.
        state: JobState,
        /// Of this queue.
        #[serde(default)]
        queue: Option<String>,
        /// Of this kind.
        #[serde(default)]
        kind: Option<String>,
    },
    /// Have the witness compare tables and events now.
    RunWitness,
}

/// What came of a change.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Changed {
    /// The id of what was made or changed.
    pub id: String,
    /// What happened, for people.
    pub message: String,
    /// Something that is shown once and never again: a key, or the path of an invitation's link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl std::fmt::Debug for Changed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Changed")
            .field("id", &self.id)
            .field("message", &self.message)
            .finish_non_exhaustive()
    }
}
