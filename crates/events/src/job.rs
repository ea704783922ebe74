//! Where a job stands, as workers, the API and pages say it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// Where a job is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its time.
    Scheduled,
    /// Waits for a worker.
    Waiting,
    /// A worker has it.
    Running,
    /// Done.
    Completed,
    /// Nobody wants it any more, or it can never be done.
    Cancelled,
    /// Failed so often that it is not tried again.
    Dead,
}

/// The text is no state of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be scheduled, waiting, running, completed, cancelled or dead")]
pub struct ParseJobStateError;

impl JobState {
    /// All of them, in the order of a life.
    pub const ALL: [Self; 6] =
        [Self::Scheduled, Self::Waiting, Self::Running, Self::Completed, Self::Cancelled, Self::Dead];

    /// The state as the database and addresses have it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Cancelled => "cancelled",
            Self::Dead => "dead",
        }
    }

    /// Whether nothing happens to the job any more, unless somebody wants it done again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Cancelled | Self::Dead)
    }
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for JobState {
    type Err = ParseJobStateError;

    fn from_str(text: &str) -> Result<Self, ParseJobStateError> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(ParseJobStateError)
    }
}

/// One failure of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FailedAttempt {
    /// Which attempt it was.
    pub attempt: u32,
    /// When.
    pub at: Timestamp,
    /// What went wrong.
    pub message: String,
}

/// How far a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Progress {
    /// So much is done,
    pub done: u64,
    /// of so much.
    pub total: u64,
    /// What it is at, for people.
    pub note: String,
}
