//! Notifications: what a person is told, and what they do with it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tidewatch_events::Timestamp;
use tidewatch_events::id::NotificationId;

/// How urgent a notification is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationPriority {
    /// It can wait.
    Low,
    /// As most are.
    #[default]
    Normal,
    /// It is looked at first.
    High,
}

impl NotificationPriority {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Low, Self::Normal, Self::High];

    /// The priority as the database and forms have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// Where a notification leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To a page of this dashboard, by its path.
    Here(String),
    /// To another site, by its address.
    Elsewhere(String),
}

/// A notification as one recipient has it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// Which; it is this recipient's alone.
    pub id: NotificationId,
    /// Goes up by one with each change: of two, the higher one is later.
    pub version: u64,
    /// What it says, in a line.
    pub title: String,
    /// What there is to say beyond that; may be empty.
    pub body: String,
    /// Where to go on: a path of this dashboard or an `https:` address; may be empty.
    pub link: String,
    /// Notifications with the same one belong together; empty: it stands alone.
    pub group: String,
    /// How urgent it is.
    pub priority: NotificationPriority,
    /// Whether somebody has to say that it is done.
    pub must_acknowledge: bool,
    /// The type of the event that it tells of.
    pub event_type: String,
    /// When that happened.
    pub occurred_at: Timestamp,
    /// When it was sent to this recipient.
    pub sent_at: Timestamp,
    /// When a client of theirs had it.
    pub delivered_at: Option<Timestamp>,
    /// When it was shown to them.
    pub seen_at: Option<Timestamp>,
    /// When they opened it, or said that they have read it.
    pub read_at: Option<Timestamp>,
    /// When they acknowledged it.
    pub acknowledged_at: Option<Timestamp>,
    /// When somebody, they or another recipient, acknowledged it first.
    pub settled_at: Option<Timestamp>,
    /// When they put it away.
    pub archived_at: Option<Timestamp>,
    /// Its type is muted by their preferences: it counts in no badge.
    pub muted: bool,
}

impl Notification {
    /// Whether the badge counts it.
    #[must_use]
    pub const fn counts(&self) -> bool {
        self.read_at.is_none() && self.archived_at.is_none() && !self.muted
    }

    /// Whether it waits for this recipient to acknowledge it.
    #[must_use]
    pub const fn waits(&self) -> bool {
        self.must_acknowledge && self.acknowledged_at.is_none() && self.settled_at.is_none()
    }

    /// Where it leads; `None` where it leads nowhere. Whatever the link says, a browser is led to nothing but a path of
    /// this dashboard or an `https:` address.
    #[must_use]
    pub fn destination(&self) -> Option<Destination> {
        let link = self.link.as_str();
        // A browser reads `//host` and `/\\host` as another site.
        if link.starts_with('/') && !link.starts_with("//") && !link.contains('\\') {
            return Some(Destination::Here(link.to_owned()));
        }
        link.starts_with("https://").then(|| Destination::Elsewhere(link.to_owned()))
    }
}

#[cfg(test)]
impl Notification {
    /// One that was just sent, for tests; of two, that with the higher number is the newer one.
    pub(crate) fn example(number: u128) -> Self {
        let at = Timestamp::from_unix_millis(1_763_671_432_000).expect("a time");
        Self {
            id: NotificationId::from_uuid(uuid::Uuid::from_u128(number)),
            version: 1,
            title: format!("Notification {number}"),
            body: String::new(),
            link: String::new(),
            group: String::new(),
            priority: NotificationPriority::Normal,
            must_acknowledge: false,
            event_type: "settlement.failed".to_owned(),
            occurred_at: at,
            sent_at: at,
            delivered_at: None,
            seen_at: None,
            read_at: None,
            acknowledged_at: None,
            settled_at: None,
            archived_at: None,
            muted: false,
        }
    }
}

/// What a badge says, from the server's state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct NotificationCount {
    /// How many are unread.
    pub unread: u64,
    /// How many wait to be acknowledged.
    pub unacknowledged: u64,
}

/// Which of one's notifications are asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationFolder {
    /// What was not read.
    #[default]
    Unread,
    /// What was not read or waits to be acknowledged: what a bell shows.
    Open,
    /// All that was not put away.
    All,
    /// What was put away.
    Archived,
}

/// The text is no folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be unread, open, all or archived")]
pub struct ParseFolderError;

impl NotificationFolder {
    /// Those of the dashboard, in the order in which it shows them.
    pub const ALL: [Self; 3] = [Self::Unread, Self::All, Self::Archived];

    /// The folder as addresses have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unread => "unread",
            Self::Open => "open",
            Self::All => "all",
            Self::Archived => "archived",
        }
    }
}

impl fmt::Display for NotificationFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NotificationFolder {
    type Err = ParseFolderError;

    fn from_str(text: &str) -> Result<Self, ParseFolderError> {
        let mut all = Self::ALL.into_iter().chain([Self::Open]);
        all.find(|folder| folder.as_str() == text).ok_or(ParseFolderError)
    }
}

/// What an inbox is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct InboxQuery {
    /// Which folder.
    pub folder: NotificationFolder,
    /// Words that stand in title or body; empty: any.
    pub search: String,
    /// Of this group alone.
    pub group: Option<String>,
    /// `next` of the page before.
    pub after: Option<NotificationId>,
}

/// A page of an inbox, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Inbox {
    /// The notifications.
    pub notifications: Vec<Notification>,
    /// `after` of the following page; `None` on the last.
    pub next: Option<NotificationId>,
    /// What the badge says.
    #[serde(flatten)]
    pub count: NotificationCount,
}

/// What a recipient does with a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum NotificationStep {
    /// A client of theirs has it.
    Deliver,
    /// It was shown to them.
    See,
    /// They have read it.
    Read,
    /// It is to count as unread again.
    Unread,
    /// It is done.
    Acknowledge,
    /// They put it away.
    Archive,
    /// They take it back out.
    Unarchive,
}

/// The text is nothing that can be done with a notification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be deliver, see, read, unread, acknowledge, archive or unarchive")]
pub struct ParseStepError;

impl NotificationStep {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Deliver,
        Self::See,
        Self::Read,
        Self::Unread,
        Self::Acknowledge,
        Self::Archive,
        Self::Unarchive,
    ];

    /// The step as addresses and events have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::See => "see",
            Self::Read => "read",
            Self::Unread => "unread",
            Self::Acknowledge => "acknowledge",
            Self::Archive => "archive",
            Self::Unarchive => "unarchive",
        }
    }
}

impl FromStr for NotificationStep {
    type Err = ParseStepError;

    fn from_str(text: &str) -> Result<Self, ParseStepError> {
        Self::ALL.into_iter().find(|step| step.as_str() == text).ok_or(ParseStepError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_to_pages_and_to_addresses_and_nowhere_else() {
        let to =
            |link: &str| Notification { link: link.to_owned(), ..Notification::example(1) }.destination();
        assert_eq!(to("/settlements/x?a=b"), Some(Destination::Here("/settlements/x?a=b".to_owned())));
        assert_eq!(to("https://a.test/x"), Some(Destination::Elsewhere("https://a.test/x".to_owned())));
        for link in
            ["", "//a.test", "/\\a.test", "javascript:alert(1)", "http://a.test", "settlements", " /x"]
        {
            assert_eq!(to(link), None, "{link}");
        }
    }

    #[test]
    fn names_are_read_back() {
        for folder in NotificationFolder::ALL.into_iter().chain([NotificationFolder::Open]) {
            assert_eq!(folder.as_str().parse(), Ok(folder));
        }
        for step in NotificationStep::ALL {
            assert_eq!(step.as_str().parse(), Ok(step));
        }
        assert_eq!("gone".parse::<NotificationFolder>(), Err(ParseFolderError));
    }
}
