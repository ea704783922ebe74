//! Who may see an event: permissions, subjects, and the one rule.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::event::{Channel, Routing};
use crate::id::{ApiKeyId, OrganizationId, ProjectId, UserId};
use crate::kind::is_segment;

/// A right to see or do something, such as `settlements.read`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Permission(Cow<'static, str>);

/// The text is no permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a resource and a verb such as settlements.read")]
pub struct ParsePermissionError;

macro_rules! permissions {
    ($($(#[$doc:meta])* $constant:ident = $name:literal;)+) => {
        /// The built-in permissions.
        impl Permission {
            $(
                $(#[$doc])*
                pub const $constant: Self = Self(Cow::Borrowed($name));
            )+

            /// Every built-in permission.
            pub const BUILT_IN: &'static [Self] = &[$(Self::$constant),+];
        }
    };
}

permissions! {
    /// Open an event stream at all; each event asks for its own permissions besides.
    EVENTS_READ = "events.read";
    /// Publish events.
    EVENTS_PUBLISH = "events.publish";
    /// Sign tokens for private channels.
    TOKENS_SIGN = "tokens.sign";
    /// See settlements.
    SETTLEMENTS_READ = "settlements.read";
    /// Create settlements and move them on.
    SETTLEMENTS_ACT = "settlements.act";
    /// See payments and invoices.
    PAYMENTS_READ = "payments.read";
    /// See orders.
    ORDERS_READ = "orders.read";
    /// See balances.
    BALANCES_READ = "balances.read";
    /// See people of the project.
    USERS_READ = "users.read";
    /// See incidents.
    INCIDENTS_READ = "incidents.read";
    /// See monitored servers.
    SERVERS_READ = "servers.read";
    /// See automation runs.
    AUTOMATIONS_READ = "automations.read";
    /// See log entries.
    LOGS_READ = "logs.read";
    /// See tickets.
    TICKETS_READ = "tickets.read";
    /// See what became of one's own notifications, and as staff that somebody had to be told next.
    NOTIFICATIONS_READ = "notifications.read";
    /// See to whom an event was given, when, and who has acknowledged it.
    DELIVERIES_READ = "deliveries.read";
    /// Acknowledge and resolve incidents.
    INCIDENTS_ACT = "incidents.act";
    /// Check monitored servers.
    SERVERS_ACT = "servers.act";
    /// Start automation runs.
    AUTOMATIONS_ACT = "automations.act";
    /// Write log entries.
    LOGS_ACT = "logs.act";
    /// Make, quote and finish tickets.
    TICKETS_ACT = "tickets.act";
    /// Hand tickets to who does the work, approve what they quote, and call tickets off.
    TICKETS_APPROVE = "tickets.approve";
    /// Capture and refund payments.
    PAYMENTS_ACT = "payments.act";
    /// Fulfil and cancel orders.
    ORDERS_ACT = "orders.act";
    /// Invite people, say what they may, and end their memberships and sessions.
    PEOPLE_MANAGE = "people.manage";
    /// Change what the project is called and which organizations it has.
    PROJECT_MANAGE = "project.manage";
    /// See who changed what.
    AUDIT_VIEW = "audit.view";
    /// Create, rotate and delete API keys.
    KEYS_MANAGE = "keys.manage";
    /// See jobs.
    JOBS_READ = "jobs.read";
    /// Have jobs done again, and call them off.
    JOBS_ACT = "jobs.act";
    /// See and end live connections.
    CONNECTIONS_MANAGE = "connections.manage";
    /// Say which addresses outside are told of which events, see how that went, and have it done again.
    WEBHOOKS_MANAGE = "webhooks.manage";
    /// Say which events become notifications, and for whom.
    NOTIFICATIONS_MANAGE = "notifications.manage";
}

impl Permission {
    /// A permission known to be well formed when the program was written.
    #[must_use]
    pub const fn from_static(name: &'static str) -> Self {
        Self(Cow::Borrowed(name))
    }

    /// The permission as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it lets its holder see something and change nothing.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.0.ends_with(".read")
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Permission {
    type Err = ParsePermissionError;

    fn from_str(text: &str) -> Result<Self, ParsePermissionError> {
        match text.split_once('.') {
            Some((resource, verb)) if text.len() <= 100 && is_segment(resource) && is_segment(verb) => {
                Ok(Self(Cow::Owned(text.to_owned())))
            }
            _ => Err(ParsePermissionError),
        }
    }
}

impl Serialize for Permission {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Permission {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// What a subject may: named permissions, or all there are and will be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PermissionSet {
    /// Every permission: the master scope `*` of an API key, the role of an administrator.
    All,
    /// These and no others.
    Named(BTreeSet<Permission>),
}

impl PermissionSet {
    /// No permission at all.
    #[must_use]
    pub const fn none() -> Self {
        Self::Named(BTreeSet::new())
    }

    /// Whether everything in `other` is in this one too.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::All, _) => true,
            (Self::Named(_), Self::All) => false,
            (Self::Named(held), Self::Named(asked)) => asked.is_subset(held),
        }
    }

    /// Whether `permission` is among them.
    #[must_use]
    pub fn contains(&self, permission: &Permission) -> bool {
        match self {
            Self::All => true,
            Self::Named(held) => held.contains(permission),
        }
    }
}

impl FromIterator<Permission> for PermissionSet {
    fn from_iter<I: IntoIterator<Item = Permission>>(permissions: I) -> Self {
        Self::Named(permissions.into_iter().collect())
    }
}

/// One name under which a subject can be addressed: `user:usr_…`, `org:org_…`, `role:operator`,
/// `channel:private-…`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SubjectRef {
    /// One person.
    User(UserId),
    /// Everyone in an organization.
    Organization(OrganizationId),
    /// Everyone who holds a role.
    Role(String),
    /// Everyone who was let into a private channel by a signed token. What goes out on a private channel is
    /// addressed so, and to no one else: then the one rule keeps it from all others, wherever they look.
    Channel(Channel),
}

/// The text addresses no subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be user:usr_…, org:org_…, role:name or channel:private-name")]
pub struct ParseSubjectError;

impl SubjectRef {
    /// Everyone whose role is project-wide, and every API key: the audience of what belongs to an
    /// organization, beside that organization. No role may have this name.
    #[must_use]
    pub fn staff() -> Self {
        Self::Role("staff".to_owned())
    }
}

impl fmt::Display for SubjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Organization(id) => write!(f, "org:{id}"),
            Self::Role(name) => write!(f, "role:{name}"),
            Self::Channel(name) => write!(f, "channel:{name}"),
        }
    }
}

impl fmt::Debug for SubjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for SubjectRef {
    type Err = ParseSubjectError;

    fn from_str(text: &str) -> Result<Self, ParseSubjectError> {
        match text.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| ParseSubjectError),
            Some(("org", id)) => id.parse().map(Self::Organization).map_err(|_| ParseSubjectError),
            Some(("role", name)) if name.len() <= 100 && is_segment(name) => Ok(Self::Role(name.to_owned())),
            // A public channel lets everyone in: to address it is to address nobody in particular.
            Some(("channel", name)) => {
                name.parse().ok().filter(Channel::is_private).map(Self::Channel).ok_or(ParseSubjectError)
            }
            _ => Err(ParseSubjectError),
        }
    }
}

impl Serialize for SubjectRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SubjectRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Who did something: what `metadata.actor` carries.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A person: `user:usr_…`.
    User(UserId),
    /// A program with an API key: `key:key_…`.
    Key(ApiKeyId),
    /// Tidewatch itself: `system:` and the part that acted.
    System(Cow<'static, str>),
}

/// The text names no actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be user:usr_…, key:key_… or system:name")]
pub struct ParseActorError;

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Key(id) => write!(f, "key:{id}"),
            Self::System(name) => write!(f, "system:{name}"),
        }
    }
}

impl FromStr for Actor {
    type Err = ParseActorError;

    fn from_str(text: &str) -> Result<Self, ParseActorError> {
        match text.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| ParseActorError),
            Some(("key", id)) => id.parse().map(Self::Key).map_err(|_| ParseActorError),
            Some(("system", name)) if name.len() <= 100 && is_segment(name) => {
                Ok(Self::System(Cow::Owned(name.to_owned())))
            }
            _ => Err(ParseActorError),
        }
    }
}

impl Serialize for Actor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Actor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Who a reader is, in one project.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Subject {
    /// The project that it reads in; nothing of another one reaches it.
    pub project_id: ProjectId,
    /// The names under which an audience can address it.
    pub identities: BTreeSet<SubjectRef>,
    /// What it may.
    pub permissions: PermissionSet,
}

/// Whether `subject` may see an event that is routed so: same project, all permissions held, and
/// an audience that is empty or shares a name with the subject.
///
/// This is the one rule: snapshot, live, replay, long-poll and every gateway call it and have no
/// other. What a reader asked for is [`crate::EventFilter`]; that can only narrow further.
#[must_use]
pub fn visible(event: &Routing, subject: &Subject) -> bool {
    event.project_id == subject.project_id
        && event.permissions.iter().all(|needed| subject.permissions.contains(needed))
        && (event.audience.is_empty() || event.audience.iter().any(|name| subject.identities.contains(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    fn project(n: u128) -> ProjectId {
        ProjectId::from_uuid(Uuid::from_u128(n))
    }

    fn routing(permissions: &[Permission], audience: &[SubjectRef]) -> Routing {
        Routing {
            permissions: permissions.iter().cloned().collect(),
            audience: audience.iter().cloned().collect(),
            ..Routing::in_project(project(1))
        }
    }

    fn subject(permissions: &[Permission], identities: &[SubjectRef]) -> Subject {
        Subject {
            project_id: project(1),
            identities: identities.iter().cloned().collect(),
            permissions: permissions.iter().cloned().collect(),
        }
    }

    #[test]
    fn nothing_crosses_a_project() {
        let mut other = subject(&[], &[]);
        other.project_id = project(2);
        other.permissions = PermissionSet::All;
        assert!(!visible(&routing(&[], &[]), &other));
    }

    #[test]
    fn all_permissions_are_needed() {
        let event = routing(&[Permission::SETTLEMENTS_READ, Permission::PAYMENTS_READ], &[]);
        assert!(!visible(&event, &subject(&[Permission::SETTLEMENTS_READ], &[])));
        assert!(visible(&event, &subject(&[Permission::SETTLEMENTS_READ, Permission::PAYMENTS_READ], &[])));
    }

    #[test]
    fn an_audience_is_for_those_it_names_even_among_the_mighty() {
        let ann = SubjectRef::User(UserId::from_uuid(Uuid::from_u128(1)));
        let event = routing(&[], std::slice::from_ref(&ann));
        let mut master = subject(&[], &[]);
        master.permissions = PermissionSet::All;
        assert!(!visible(&event, &master));
        assert!(visible(&event, &subject(&[], &[ann, SubjectRef::Role("viewer".into())])));
    }

    #[test]
    fn names_read_back() {
        for text in [
            "user:usr_01h455vb4pex5vsknk084sn02q",
            "org:org_01h455vb4pex5vsknk084sn02q",
            "role:operator",
            "channel:private-orders:7",
        ] {
            assert_eq!(text.parse::<SubjectRef>().map(|name| name.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["", "user:", "user:org_01h455vb4pex5vsknk084sn02q", "role:A\n", "group:x", "channel:public"]
        {
            assert!(text.parse::<SubjectRef>().is_err(), "{text:?}");
        }
    }

    proptest! {
        /// Taking a permission or a name from a subject never shows it more.
        #[test]
        fn less_never_sees_more(needs in proptest::sample::subsequence(Permission::BUILT_IN, 0..4),
                                held in proptest::sample::subsequence(Permission::BUILT_IN, 0..17),
                                drop in 0usize..17) {
            let event = routing(&needs, &[]);
            let mut less = held.clone();
            if !less.is_empty() { less.remove(drop % less.len()); }
            prop_assert!(!visible(&event, &subject(&less, &[])) || visible(&event, &subject(&held, &[])));
        }
    }
}
