//! What the first page shows.

use serde::{Deserialize, Serialize};
use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_events::id::SettlementId;
use tidewatch_events::money::Currency;
use tidewatch_events::{AggregateType, Envelope, Timestamp};
use tidewatch_modules::Tone;

use super::{SettlementRow, Total, Trends};

/// The project at a glance. "Today" is the day in UTC.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Overview {
    /// How many settlements stand where.
    pub by_status: Vec<(SettlementStatus, u64)>,
    /// Settlements that moved and whose events are not all published yet: `by_status` and
    /// `needs_attention` count them as they stand.
    pub ahead: Vec<Standing>,
    /// Created today.
    pub created_today: u64,
    /// Settled today.
    pub settled_today: u64,
    /// Failed today.
    pub failed_today: u64,
    /// What was settled today, in minor units, by currency.
    pub volume_today: Vec<(Currency, i64)>,
    /// Failed, held or stuck: what needs a person, oldest first, at most [`Overview::MAX_ATTENTION`].
    pub needs_attention: Vec<SettlementRow>,
    /// What waits for a person in other modules, in the order of navigation.
    pub waiting: Vec<Waiting>,
    /// Settled or failed events of each minute of the last hour, oldest first.
    pub per_minute: Vec<(Timestamp, u32)>,
    /// How it went over the range that was asked for.
    pub trends: Trends,
    /// The last events, newest first, at most [`Overview::MAX_RECENT`].
    pub recent: Vec<Envelope>,
    /// How far the relay is behind, in milliseconds; `None` when nothing waits.
    pub outbox_lag_ms: Option<i64>,
    /// The project's live connections, to all instances.
    pub connections: u64,
}

/// Records of a module that wait for a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    /// The module's name in addresses.
    pub module: String,
    /// What its events are of.
    pub aggregate_type: AggregateType,
    /// Where they stand.
    pub status: String,
    /// In words: `Open incidents`.
    pub label: String,
    /// The part that its colour plays.
    pub tone: Tone,
    /// How many.
    pub total: Total,
}

/// Where a settlement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Which one.
    pub id: SettlementId,
    /// Where it stands.
    pub status: SettlementStatus,
    /// Its version there.
    pub version: i64,
}

impl Overview {
    /// Most entries of `ahead`.
    pub const MAX_AHEAD: usize = 2_000;
    /// Most rows of `needs_attention`.
    pub const MAX_ATTENTION: usize = 8;
    /// Most events of `recent`.
    pub const MAX_RECENT: usize = 20;
    /// Minutes of `per_minute`.
    pub const MINUTES: usize = 60;
}
