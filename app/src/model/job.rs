//! Jobs: what is done behind requests.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidewatch_events::Timestamp;
use tidewatch_events::id::JobId;
use tidewatch_events::job::{FailedAttempt, JobState, Progress};

/// A job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Job {
    /// Which.
    pub id: JobId,
    /// Which queue it is in.
    pub queue: String,
    /// What is to be done, such as `key.revoke`.
    pub kind: String,
    /// With what.
    pub payload: Value,
    /// Where it is in its life.
    pub state: JobState,
    /// The higher, the sooner.
    pub priority: i16,
    /// When it became due, or will.
    pub run_at: Timestamp,
    /// Runs that count.
    pub attempt: u32,
    /// Dead after so many.
    pub max_attempts: u32,
    /// Who runs it.
    pub leased_by: Option<String>,
    /// Somebody wants it cancelled.
    pub cancel_requested: bool,
    /// How far it is, by its own word.
    pub progress: Option<Progress>,
    /// The last ten failures, oldest first.
    pub errors: Vec<FailedAttempt>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When the last run began.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
    /// What its reader can do about it now.
    pub actions: Vec<JobAction>,
}

/// What can be done about a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum JobAction {
    /// Have it done again.
    Retry,
    /// Call it off.
    Cancel,
}

/// Which jobs are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct JobQuery {
    /// In this state.
    pub state: Option<JobState>,
    /// Of this queue.
    pub queue: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
    /// `next` of the page before.
    pub after: Option<JobId>,
}

/// Many jobs, of which something is asked at once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ManyJobs {
    /// In this state.
    pub state: JobState,
    /// Of this queue; by default of all.
    #[serde(default)]
    pub queue: Option<String>,
    /// Of this kind; by default of all.
    #[serde(default)]
    pub kind: Option<String>,
}

/// What a move of many jobs came to, or would come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct ManyJobsMoved {
    /// Whether it was done.
    pub done: bool,
    /// So many jobs.
    pub jobs: u64,
    /// And more: they are left to another request.
    pub more: bool,
}

/// How many jobs of a queue are in a state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobCount {
    /// The state.
    pub state: JobState,
    /// The queue.
    pub queue: String,
    /// So many,
    pub jobs: u64,
    /// and more: past some thousands they are not counted on.
    pub more: bool,
}

/// A page of jobs, newest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct JobPage {
    /// The jobs.
    pub jobs: Vec<Job>,
    /// `after` of the following page; `None` on the last.
    pub next: Option<JobId>,
    /// All jobs of the project, by state and queue.
    pub counts: Vec<JobCount>,
}
