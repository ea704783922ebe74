//! The witness: what it found when it compared the tables with the events.

use serde::{Deserialize, Serialize};
use tidewatch_events::id::RecordId;
use tidewatch_events::money::Currency;
use tidewatch_events::{Position, Timestamp};

/// Something that the tables and the events do not say alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Drift {
    /// In which module.
    pub module: String,
    /// Of what: a record's id, a movement of money, or a currency.
    pub id: String,
    /// What differs: `amountMinor: the table says 100, the events say 90`.
    pub what: String,
}

/// What a module's records come to in a currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WitnessTotal {
    /// ISO 4217.
    pub currency: Currency,
    /// By the table, in minor units.
    pub table_minor: i64,
    /// By the events, in minor units.
    pub events_minor: i64,
}

/// What was found in a module.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WitnessModule {
    /// Its name in addresses.
    pub module: String,
    /// What people call it.
    pub title: String,
    /// Rows of its table.
    pub records: u64,
    /// Events that are kept of them.
    pub events: u64,
    /// Records whose first events retention has dropped: they are compared from the oldest one kept on, or,
    /// where none is kept, not at all.
    pub beyond_retention: u64,
    /// How many differences there are.
    pub drift_count: u64,
    /// The differences, as far as the report has room for them.
    pub drifts: Vec<Drift>,
    /// Money by currency, of records that have events.
    pub totals: Vec<WitnessTotal>,
}

/// What stands on all accounts of a currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WitnessMoney {
    /// ISO 4217.
    pub currency: String,
    /// How many accounts.
    pub accounts: u64,
    /// All debits: the sum of accounts above zero, in minor units.
    pub debit_minor: i64,
    /// All accounts together; zero where no money was made or lost.
    pub sum_minor: i64,
}

/// What the witness found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WitnessReport {
    /// Of which moment it speaks.
    pub as_of: Timestamp,
    /// How far the stream went then. Events that were committed and not yet published are compared as well.
    pub position: Position,
    /// How far back it went.
    pub oldest_position: Position,
    /// How long it took.
    pub duration_ms: u64,
    /// Rows of all tables.
    pub records: u64,
    /// Events of all of them.
    pub events: u64,
    /// Differences, of which the modules name the first thousand.
    pub drift_count: u64,
    /// Module by module.
    pub modules: Vec<WitnessModule>,
    /// Currency by currency.
    pub money: Vec<WitnessMoney>,
}

impl WitnessReport {
    /// The most differences that a report names.
    pub const MAX_DRIFTS: usize = 1_000;

    /// The differences, in their order.
    pub fn drifts(&self) -> impl Iterator<Item = &Drift> {
        self.modules.iter().flat_map(|module| &module.drifts)
    }

    /// Whether tables and events say the same.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.drift_count == 0
    }
}

/// What a run came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum WitnessOutcome {
    /// Tables and events say the same.
    Clean,
    /// They do not.
    Drift,
    /// It could not look.
    Failed,
}

impl WitnessOutcome {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Clean, Self::Drift, Self::Failed];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Clean => "clean",
            Self::Drift => "drift",
            Self::Failed => "failed",
        }
    }
}

/// A run of the witness.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WitnessRun {
    /// Which.
    pub id: RecordId,
    /// The record that tells how far it is.
    pub automation_id: Option<RecordId>,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended; `None`: it goes on.
    pub finished_at: Option<Timestamp>,
    /// What it came to.
    pub outcome: Option<WitnessOutcome>,
    /// Rows that it looked at.
    pub records: u64,
    /// Events that it looked at.
    pub events: u64,
    /// Differences that it found.
    pub drift_count: u64,
    /// Why it could not look.
    pub error: Option<String>,
}

/// What the witness did last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct WitnessPage {
    /// Its last runs, newest first.
    pub runs: Vec<WitnessRun>,
    /// What the newest one found that could look.
    pub report: Option<WitnessReport>,
    /// Whether the reader can have it look now.
    pub may_run: bool,
}
