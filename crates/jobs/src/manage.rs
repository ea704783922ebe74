//! What people do with jobs: cancel one, have one done again.

use sqlx::PgConnection;
use tidewatch_events::id::JobId;
use tidewatch_events::job::JobState;

/// Why a job was not put back. After either, the caller's transaction must roll back.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// Another unfinished job has its unique key.
    #[error("another job with the same unique key is waiting or running")]
    KeyTaken,
    /// Postgres refused or could not be reached.
    #[error(transparent)]
    Database(sqlx::Error),
}

impl RetryError {
    pub(crate) fn of(error: sqlx::Error) -> Self {
        let by = error.as_database_error().and_then(|database| database.constraint());
        if by == Some("jobs_unique") { Self::KeyTaken } else { Self::Database(error) }
    }
}

/// Cancels a job in the caller's transaction, and says in which state it is now: [`JobState::Cancelled`] when
/// nobody had begun it; [`JobState::Running`] when its handler has to see that it is to stop, for which
/// [`crate::Waker::wake_cancelled`] is to be told after the commit. `None` when there is no such job that is
/// unfinished.
///
/// # Errors
/// Postgres could not be reached or refused.
pub async fn cancel(connection: &mut PgConnection, job: JobId) -> Result<Option<JobState>, sqlx::Error> {
    let running: Option<bool> = sqlx::query_scalar(
        "update jobs
         set cancel_requested_at = coalesce(cancel_requested_at, statement_timestamp()),
             state = case when state = 'running' then state else 'cancelled' end,
             finished_at = case when state = 'running' then null else statement_timestamp() end
         where id = $1 and state in ('scheduled', 'waiting', 'running')
         returning state = 'running'",
    )
    .bind(job.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(running.map(|running| if running { JobState::Running } else { JobState::Cancelled }))
}

/// Has a finished job done again, in the caller's transaction: it waits as on its first day, all its attempts
/// before it and its errors kept. Says whether there was such a job. Tell [`crate::Waker::wake_workers`] after
/// the commit.
///
/// # Errors
/// See [`RetryError`].
pub async fn retry(connection: &mut PgConnection, job: JobId) -> Result<bool, RetryError> {
    let waits = sqlx::query(
        "update jobs
         set state = 'waiting', run_at = statement_timestamp(), attempt = 0, progress = null,
             cancel_requested_at = null, finished_at = null
         where id = $1 and state in ('completed', 'cancelled', 'dead')",
    )
    .bind(job.uuid())
    .execute(connection)
    .await
    .map_err(RetryError::of)?;
    Ok(waits.rows_affected() > 0)
}
