//! Which records a list shows, and in which order.
//!
//! The server answers by SQL (`server/src/db/records.rs`), the browser keeps the answer right by
//! [`RecordQuery::matches`] and [`RecordQuery::key`] as events come in. Both follow the same rules; a test
//! on the server holds the two equal.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidewatch_events::Timestamp;
use tidewatch_events::id::{RecordId, UserId};

use crate::module::Module;
use crate::record::Record;
use crate::words::{found, words};

/// Which records, in which order, which page of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RecordQuery {
    /// Only those that stand at one of these, separated by commas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Only those with words that begin like these, or the one with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
    /// Only those that this person looks after, or nobody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<String>"))]
    pub assignee: Option<Assignee>,
    /// Only those made at this time or later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// Only those made before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// Only those in which a field has this value; fields of [`crate::Field::choices`].
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, String>,
    /// In which order.
    #[serde(default, skip_serializing_if = "Sort::is_default")]
    pub sort: Sort,
    /// Only those behind this [`Cursor`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Most rows of the page; 0: as many as usual.
    #[serde(default)]
    pub limit: u32,
}

/// Who looks after the records of a list: a person by their id, or nobody, which is `none` in addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Assignee {
    /// Nobody does.
    Nobody,
    /// This person does.
    Person(UserId),
}

impl Assignee {
    const NOBODY: &str = "none";

    /// Whether that is who looks after a record.
    #[must_use]
    pub fn is(self, assignee: Option<UserId>) -> bool {
        match self {
            Self::Nobody => assignee.is_none(),
            Self::Person(person) => assignee == Some(person),
        }
    }
}

/// The text says nobody who could look after a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be the id of a person, or none")]
pub struct ParseAssigneeError;

impl fmt::Display for Assignee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nobody => f.write_str(Self::NOBODY),
            Self::Person(person) => person.fmt(f),
        }
    }
}

impl FromStr for Assignee {
    type Err = ParseAssigneeError;

    fn from_str(text: &str) -> Result<Self, ParseAssigneeError> {
        if text == Self::NOBODY {
            return Ok(Self::Nobody);
        }
        text.parse().map(Self::Person).map_err(|_| ParseAssigneeError)
    }
}

impl From<Assignee> for String {
    fn from(assignee: Assignee) -> Self {
        assignee.to_string()
    }
}

impl TryFrom<String> for Assignee {
    type Error = ParseAssigneeError;

    fn try_from(text: String) -> Result<Self, ParseAssigneeError> {
        text.parse()
    }
}

/// In which order a list is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The oldest first.
    Oldest,
    /// What changed last first.
    Changed,
    /// The largest amount first.
    Amount,
}

impl Sort {
    /// Every order.
    pub const ALL: [Self; 4] = [Self::Newest, Self::Oldest, Self::Changed, Self::Amount];

    /// Its name in addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
            Self::Changed => "changed",
            Self::Amount => "amount",
        }
    }

    /// Whether it goes up.
    #[must_use]
    pub const fn is_ascending(self) -> bool {
        matches!(self, Self::Oldest)
    }

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
    fn is_default(&self) -> bool {
        *self == Self::Newest
    }
}

/// The text is no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be newest, oldest, changed or amount")]
pub struct ParseSortError;

impl FromStr for Sort {
    type Err = ParseSortError;

    fn from_str(text: &str) -> Result<Self, ParseSortError> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == text).ok_or(ParseSortError)
    }
}

/// The place of a record in a list: what it is ordered by, and its id where that is equal.
///
/// Server and browser write it alike, since a list that grows by events alone knows the cursor of its
/// last row without asking. To everyone else it is an opaque text: `1763671432832-stl_…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    /// Milliseconds since 1970, or minor units.
    pub key: i64,
    /// Which record.
    pub id: RecordId,
}

/// The text is no cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a cursor that this service gave out")]
pub struct ParseCursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.key, self.id)
    }
}

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        let (key, id) = text.rsplit_once('-').ok_or(ParseCursorError)?;
        Ok(Self {
            key: key.parse().map_err(|_| ParseCursorError)?,
            id: id.parse().map_err(|_| ParseCursorError)?,
        })
    }
}

impl RecordQuery {
    /// Rows of a page where nobody asked for another number.
    pub const PAGE_SIZE: u32 = 25;
    /// Most rows of a page.
    pub const MOST_ROWS: u32 = 200;

    /// Rows of the page.
    #[must_use]
    pub fn rows(&self) -> u32 {
        if self.limit == 0 { Self::PAGE_SIZE } else { self.limit.min(Self::MOST_ROWS) }
    }

    /// The statuses that were asked for; none: all.
    pub fn statuses(&self) -> impl Iterator<Item = &str> {
        self.status.iter().flat_map(|status| status.split(',')).map(str::trim).filter(|name| !name.is_empty())
    }

    /// The id that was asked for in place of words.
    #[must_use]
    pub fn asked_id(&self) -> Option<RecordId> {
        self.q.as_deref().and_then(|text| text.trim().parse().ok())
    }

    /// Whether anything narrows the list.
    #[must_use]
    pub fn is_filtered(&self) -> bool {
        self.statuses().next().is_some()
            || self.q.is_some()
            || self.assignee.is_some()
            || self.from.is_some()
            || self.to.is_some()
            || !self.fields.is_empty()
    }

    /// Whether the record belongs into the list, page aside.
    #[must_use]
    pub fn matches(&self, module: &Module, record: &Record) -> bool {
        let mut statuses = self.statuses().peekable();
        let text_of = |name: &str| match record.get(name) {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        (statuses.peek().is_none() || statuses.any(|status| status == record.status))
            && self.assignee.is_none_or(|asked| asked.is(record.assignee))
            && self.from.is_none_or(|from| record.created_at >= from)
            && self.to.is_none_or(|to| record.created_at < to)
            && self.fields.iter().all(|(name, value)| text_of(name).is_some_and(|there| there == *value))
            && match (&self.q, self.asked_id()) {
                (None, _) => true,
                (Some(_), Some(id)) => record.id == id,
                (Some(text), None) => found(&words(text), &words(&searched_text(module, record))),
            }
    }

    /// What the record is ordered by.
    #[must_use]
    pub fn key(&self, module: &Module, record: &Record) -> Cursor {
        let key = match self.sort {
            Sort::Newest | Sort::Oldest => record.created_at.unix_millis(),
            Sort::Changed => record.updated_at.unix_millis(),
            Sort::Amount => {
                module.amount_field.as_deref().and_then(|name| record.number(name)).unwrap_or_default()
            }
        };
        Cursor { key, id: record.id.clone() }
    }

    /// Whether `one` stands before `other`.
    #[must_use]
    pub fn is_before(&self, one: &Cursor, other: &Cursor) -> bool {
        if self.sort.is_ascending() { one < other } else { one > other }
    }
}

/// What searches look into.
#[must_use]
pub fn searched_text(module: &Module, record: &Record) -> String {
    let fields = module.fields.iter().filter(|field| field.searched);
    fields.filter_map(|field| record.text(&field.name)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn cursors_read_back(key: i64, id: u128) {
            let id: RecordId = format!("stl_{}", uuid::Uuid::from_u128(id)).parse().expect("an id");
            let cursor = Cursor { key, id };
            prop_assert_eq!(cursor.to_string().parse(), Ok(cursor));
        }

        #[test]
        fn never_panics_on_any_text(text in "\\PC*") {
            let _ = text.parse::<Cursor>();
        }
    }
}
