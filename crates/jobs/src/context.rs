//! What a handler knows of its job, and can say while it runs.

use std::sync::Arc;

use parking_lot::Mutex;
use sqlx::PgConnection;
use tidewatch_events::id::JobId;
use tidewatch_events::job::Progress;
use tidewatch_events::{ProjectId, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::claim::{Claimed, Lease};
use crate::text::keepable;

/// Why a job could not be completed with a transaction of its handler, which must roll back.
#[derive(Debug, thiserror::Error)]
pub enum CompleteError {
    /// The lease ran out and another worker has the job, or has done it.
    #[error("the job was taken over by another worker")]
    LeaseLost,
    /// Postgres refused or could not be reached.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// What passes between a run and the one who keeps its lease.
#[derive(Debug, Default)]
pub(crate) struct Signs {
    pub(crate) cancelled: CancellationToken,
    /// What was said last and is not written yet.
    pub(crate) progress: Mutex<Option<Progress>>,
}

/// The job that a handler runs, apart from its payload.
#[derive(Debug)]
pub struct JobContext {
    lease: Lease,
    project: Option<ProjectId>,
    attempt: u32,
    max_attempts: u32,
    enqueued_at: Timestamp,
    traceparent: Option<String>,
    signs: Arc<Signs>,
}

impl JobContext {
    /// The run goes on with `traceparent`.
    pub(crate) const fn new(job: &Claimed, traceparent: Option<String>, signs: Arc<Signs>) -> Self {
        Self {
            lease: job.lease,
            project: job.project,
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            enqueued_at: job.enqueued_at,
            traceparent,
            signs,
        }
    }

    /// Which job it is: a key by which others can tell a second run from another job.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.lease.job
    }

    /// Where in its trace this run is, for what follows from it; `None`: in none.
    #[must_use]
    pub fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_deref()
    }

    /// On behalf of which project; `None`: of the system.
    #[must_use]
    pub const fn project(&self) -> Option<ProjectId> {
        self.project
    }

    /// Which attempt this is, from 1.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether the job is dead when this attempt fails.
    #[must_use]
    pub const fn is_last_attempt(&self) -> bool {
        self.attempt >= self.max_attempts
    }

    /// When it was enqueued.
    #[must_use]
    pub const fn enqueued_at(&self) -> Timestamp {
        self.enqueued_at
    }

    /// Says how far the job is. Returns at once: what was said last is written twice a second, together
    /// with that of all other jobs.
    pub fn progress(&self, done: u64, total: u64, note: impl AsRef<str>) {
        let progress = Progress { done, total, note: keepable(note.as_ref()) };
        *self.signs.progress.lock() = Some(progress);
    }

    /// Whether somebody cancelled the job, or another worker took it over. A handler that looks stops
    /// where it is and returns, whatever: with an error the job is cancelled, with `Ok` it is completed.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.signs.cancelled.is_cancelled()
    }

    /// Waits until [`Self::is_cancelled`].
    pub async fn cancelled(&self) {
        self.signs.cancelled.cancelled().await;
    }

    /// Completes the job as part of a transaction of its handler: its effect and the word that it is done
    /// commit together, so that it takes effect exactly once. To be called last, right before the commit,
    /// on a connection that may write to the table of jobs (not one of the requests' role).
    ///
    /// # Errors
    /// See [`CompleteError`].
    pub async fn complete_in(&self, connection: &mut PgConnection) -> Result<(), CompleteError> {
        let completed = sqlx::query(
            "update jobs set state = 'completed', finished_at = clock_timestamp(), leased_by = null,
                             leased_until = null
             where id = $1 and lease = $2 and state = 'running'",
        )
        .bind(self.lease.job.uuid())
        .bind(self.lease.number)
        .execute(connection)
        .await?;
        if completed.rows_affected() == 0 { Err(CompleteError::LeaseLost) } else { Ok(()) }
    }
}
