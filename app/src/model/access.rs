//! People, roles, organizations, keys, sessions and the audit log.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidewatch_events::Timestamp;
use tidewatch_events::id::{ApiKeyId, AuditEntryId, InvitationId, OrganizationId, SessionId, UserId};

/// A person in a project.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// Their address.
    pub email: String,
    /// Their name.
    pub name: String,
    /// What they are in the project, by the roles' names.
    pub roles: Vec<String>,
    /// The organizations that they belong to.
    pub organizations: Vec<OrganizationId>,
    /// Whether they are kept out.
    pub disabled: bool,
    /// Since when they are in the project.
    pub joined_at: Timestamp,
}

/// Somebody who was asked to join and has not yet.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    /// Which.
    pub id: InvitationId,
    /// Whom it is for.
    pub email: String,
    /// What they will be.
    pub roles: Vec<String>,
    /// Until when the link counts.
    pub expires_at: Timestamp,
}

/// A role that people of a project can have.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Role {
    /// Its name in memberships and audiences.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What it is for.
    pub description: String,
    /// What it allows; `*` is everything.
    pub permissions: Vec<String>,
    /// Whether it reaches through the project, or to what is the person's own.
    pub project_wide: bool,
    /// Whether every project has it; then it cannot be changed.
    pub built_in: bool,
    /// How many people have it.
    pub members: u64,
}

/// A customer inside a project.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Organization {
    /// Which.
    pub id: OrganizationId,
    /// What it is called.
    pub name: String,
    /// How many people belong to it.
    pub members: u64,
}

/// Which people are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PeopleQuery {
    /// With each of these words in a name, an address or a role; a word that is an id is theirs.
    pub q: Option<String>,
    /// `next` of the page before.
    pub after: Option<String>,
}

/// A page of people, by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct PersonPage {
    /// The people.
    pub people: Vec<Person>,
    /// `after` of the following page; `None` on the last.
    pub next: Option<String>,
}

/// Who is in a project, and as what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct People {
    /// Those of a page who are in it.
    pub people: Vec<Person>,
    /// `after` of the following page of people; `None` on the last.
    pub next: Option<String>,
    /// Those who were asked to join.
    pub invitations: Vec<Invitation>,
    /// The roles there are.
    pub roles: Vec<Role>,
    /// The organizations there are.
    pub organizations: Vec<Organization>,
    /// What a role can allow, by the permissions' names: those of the installation's modules among them.
    pub permissions: Vec<String>,
}

/// An API key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApiKey {
    /// Which.
    pub id: ApiKeyId,
    /// What it is called.
    pub name: String,
    /// The last characters of its secret.
    pub hint: String,
    /// What it may; `*` is everything.
    pub scopes: Vec<String>,
    /// Who made it.
    pub created_by: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether it has.
    pub expired: bool,
    /// The key that takes its place.
    pub rotated_to: Option<ApiKeyId>,
}

/// Which API keys are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ApiKeyQuery {
    /// With each of these words in a name, a scope, who made it or the end of its secret; a word that is an id is its own.
    pub q: Option<String>,
    /// `next` of the page before.
    pub after: Option<ApiKeyId>,
}

/// A page of API keys, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ApiKeyPage {
    /// The keys, without their secrets.
    pub api_keys: Vec<ApiKey>,
    /// `after` of the following page; `None` on the last.
    pub next: Option<ApiKeyId>,
}

/// A login of a person: a browser's session, or one of the API.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// By which it can be ended. It opens nothing.
    pub id: SessionId,
    /// Whether it is an API login with tokens, and no browser's.
    pub api: bool,
    /// What the client calls itself.
    pub client: String,
    /// Where it signed in from.
    pub address: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
    /// Whether it is the one that asks.
    pub current: bool,
}

/// Something that somebody changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    /// Which.
    pub id: AuditEntryId,
    /// When.
    pub at: Timestamp,
    /// Who: `user:usr_…` or `key:key_…`.
    pub actor: String,
    /// What they were called then.
    pub actor_name: String,
    /// What they did, such as `role.update`.
    pub action: String,
    /// The id of what was changed.
    pub target: String,
    /// What it was called then.
    pub target_name: String,
    /// What it was; `None` where it was not there.
    pub before: Option<Value>,
    /// What it became; `None` where it is gone.
    pub after: Option<Value>,
    /// By which the log finds the request.
    pub request_id: String,
}

/// What is asked of the audit log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct AuditQuery {
    /// Only what this actor did: `user:usr_…`, `key:key_…`, or a part of a name or address.
    pub actor: Option<String>,
    /// Only this action, or all of a family: `role.` stands for `role.create`, `role.update`, ….
    pub action: Option<String>,
    /// Only what was done to this, by id or a part of its name.
    pub target: Option<String>,
    /// Only from then on.
    pub from: Option<Timestamp>,
    /// Only before then.
    pub to: Option<Timestamp>,
    /// Behind this entry of the page before.
    pub after: Option<AuditEntryId>,
}

/// A page of the audit log, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct AuditPage {
    /// The entries.
    pub entries: Vec<AuditEntry>,
    /// `after` of the following page; `None` on the last.
    pub next: Option<AuditEntryId>,
}
