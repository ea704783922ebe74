//! A job as people see it.

use sqlx::FromRow;
use sqlx::postgres::PgRow;
use sqlx::types::Json;
use tidewatch_events::id::JobId;
use tidewatch_events::job::{FailedAttempt, JobState, ParseJobStateError, Progress};
use tidewatch_events::{ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

/// A job with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Which one.
    pub id: JobId,
    /// On behalf of which project; `None`: of the system.
    pub project: Option<ProjectId>,
    /// Which queue it is in.
    pub queue: String,
    /// What is to be done.
    pub kind: String,
    /// With what, as JSON.
    pub payload: String,
    /// Of one key, one job at a time is unfinished.
    pub unique_key: Option<String>,
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
    /// The last 10 failures, oldest first.
    pub errors: Vec<FailedAttempt>,
    /// When it was enqueued.
    pub created_at: Timestamp,
    /// When the last run began.
    pub started_at: Option<Timestamp>,
    /// When it came to its end.
    pub finished_at: Option<Timestamp>,
}

/// The columns that [`Job`] is read from, for use in a `select`.
macro_rules! job_columns {
    () => {
        "id, project_id, queue, kind, payload::text, unique_key, state, priority, run_at, attempt, max_attempts, \
         leased_by, cancel_requested_at is not null as cancel_requested, progress, errors, created_at, started_at, \
         finished_at"
    };
}
pub(crate) use job_columns;

#[derive(FromRow)]
struct JobRow {
    id: Uuid,
    project_id: Option<Uuid>,
    queue: String,
    kind: String,
    payload: String,
    unique_key: Option<String>,
    state: String,
    priority: i16,
    run_at: OffsetDateTime,
    attempt: i32,
    max_attempts: i32,
    leased_by: Option<String>,
    cancel_requested: bool,
    progress: Option<Json<Progress>>,
    errors: Json<Vec<FailedAttempt>>,
    created_at: OffsetDateTime,
    started_at: Option<OffsetDateTime>,
    finished_at: Option<OffsetDateTime>,
}

impl FromRow<'_, PgRow> for Job {
    fn from_row(row: &PgRow) -> Result<Self, sqlx::Error> {
        let row = JobRow::from_row(row)?;
        let state = row.state.parse();
        Ok(Self {
            id: JobId::from_uuid(row.id),
            project: row.project_id.map(ProjectId::from_uuid),
            queue: row.queue,
            kind: row.kind,
            payload: row.payload,
            unique_key: row.unique_key,
            state: state.map_err(|error: ParseJobStateError| sqlx::Error::Decode(error.into()))?,
            priority: row.priority,
            run_at: Timestamp::from(row.run_at),
            attempt: row.attempt.unsigned_abs(),
            max_attempts: row.max_attempts.unsigned_abs(),
            leased_by: row.leased_by,
            cancel_requested: row.cancel_requested,
            progress: row.progress.map(|progress| progress.0),
            errors: row.errors.0,
            created_at: Timestamp::from(row.created_at),
            started_at: row.started_at.map(Timestamp::from),
            finished_at: row.finished_at.map(Timestamp::from),
        })
    }
}
