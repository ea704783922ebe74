//! What a module's list draws above its table.

use serde::{Deserialize, Serialize};
use tidewatch_events::{AggregateType, Timestamp};

/// What the charts of a module show, as the log says up to the page's position. It counts what its reader may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordCharts {
    /// What the module's events happen to.
    pub aggregate_type: AggregateType,
    /// How many records stand where, in the order of a record's life; `None`: that is not drawn.
    pub by_status: Option<Vec<StandingCount>>,
    /// What happened to them; `None`: that is not drawn.
    pub over_time: Option<EventSteps>,
}

/// How many records stand at a status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingCount {
    /// The status's name on the wire.
    pub status: String,
    /// What people read.
    pub label: String,
    /// How many records stand there.
    pub count: u64,
}

/// Events in steps of time of one width.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSteps {
    /// How wide each step is, in seconds.
    pub seconds: u32,
    /// When each begins and how many events it has, oldest first, those without any too.
    pub steps: Vec<(Timestamp, u64)>,
}
