//! Records of all modules as pages show them and forms send them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidewatch_events::id::{CommentId, OrganizationId, RecordId, UserId};
use tidewatch_events::{Envelope, Timestamp};
use tidewatch_modules::{Module, Record, RecordQuery};

use super::RecordCharts;

/// A page of records, in the order that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordPage {
    /// What they are, with the moves alone that the one who looks may make; see [`Self::may_act`].
    pub module: Module,
    /// What was asked for, as far as the module has it.
    pub query: RecordQuery,
    /// The records.
    pub records: Vec<Record>,
    /// `after` of the following page; `None` on the last page.
    pub next: Option<String>,
    /// How many there are on all pages.
    pub total: Total,
    /// Whether the one who looks may make and move records.
    pub may_act: bool,
    /// What is drawn above the list; `None`: the module asks for no chart.
    pub charts: Option<RecordCharts>,
    /// What those are called who look after these records; `None`: that is not for the one who looks.
    pub people: Option<BTreeMap<UserId, String>>,
}

/// How many records a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Total {
    /// So many.
    pub count: u64,
    /// Whether that is an estimate.
    pub estimated: bool,
}

/// A record with its history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordDetail {
    /// What it is, with the moves alone that the one who looks may make; see [`Self::may_act`].
    pub module: Module,
    /// The record.
    pub record: Record,
    /// Its events, oldest first, at most [`RecordDetail::MAX_TIMELINE`].
    pub timeline: Vec<Envelope>,
    /// What people wrote about it, oldest first.
    pub comments: Vec<Comment>,
    /// The organization that it belongs to, by name.
    pub organization: Option<String>,
    /// Who can look after it, and who has to do with it: their names.
    pub people: BTreeMap<UserId, String>,
    /// The project's organizations by name; none for its customers.
    pub organizations: BTreeMap<OrganizationId, String>,
    /// The person who looks.
    pub me: Option<UserId>,
    /// Whether the one who looks may make moves at all.
    pub may_act: bool,
}

impl RecordDetail {
    /// Most events of `timeline`; the newest are kept. The explorer has them all.
    pub const MAX_TIMELINE: usize = 100;
    /// Most of those in `people` who are there because they may act on it.
    pub const MAX_PEOPLE: usize = 200;

    /// Whether there are events older than those of `timeline`.
    #[must_use]
    pub fn has_older_events(&self) -> bool {
        self.timeline.first().is_some_and(|oldest| oldest.aggregate_version > 1)
    }
}

/// What somebody wrote about a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Comment {
    /// Which.
    pub id: CommentId,
    /// Who wrote it.
    pub actor: String,
    /// What.
    pub text: String,
    /// When.
    pub created_at: Timestamp,
}

/// A move for many records that goes on by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkStarted {
    /// The automation that tells how far it is.
    pub automation: RecordId,
    /// For so many records.
    pub count: u64,
}

/// For how many records a move could be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkImpact {
    /// So many can make it now.
    pub can: u64,
    /// Out of so many.
    pub of: u64,
}

impl BulkImpact {
    /// Most records of one such move.
    pub const MOST: u64 = 10_000;
}

/// A move for many that waits for a yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkAsked {
    /// Which.
    pub r#move: String,
    /// For how many.
    pub impact: BulkImpact,
    /// For these; empty where it is for all of the list.
    pub ids: Vec<String>,
    /// Whether it is for all of the list.
    pub all: bool,
    /// What was entered for it.
    pub fields: BTreeMap<String, String>,
}

/// What has come of a move for many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum BulkAnswer {
    /// It waits for a yes.
    Asked(BulkAsked),
    /// It goes on.
    Started(BulkStarted),
}

/// A move that a person asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MoveRequest {
    /// The move's name: `hold`, `release`, `retry`, …
    pub r#move: String,
    /// The version that the person saw.
    pub expected_version: i64,
    /// What they entered, by [`tidewatch_modules::Input::name`].
    #[serde(default)]
    pub fields: BTreeMap<String, String>,
}
