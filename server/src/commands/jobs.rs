//! Jobs: done again, or called off.

use serde_json::json;
use sqlx::PgConnection;
use tidewatch_events::Permission;
use tidewatch_jobs::{Job, JobId, JobState, RetryError};

use super::Origin;
use super::audit::{Change, note};
use crate::access::Caller;
use crate::db;
use crate::error::Error;
use crate::queries::find_job;
use crate::state::AppState;

/// Has a job done again that was done, called off, or given up.
///
/// # Errors
/// 403 without `jobs.act`, 404, 409 when it is not finished, or another one of its key is waiting.
pub async fn retry(state: &AppState, caller: &Caller, origin: &Origin, id: JobId) -> Result<Job, Error> {
    caller.require_manager(&Permission::JOBS_ACT)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let before = find_job(&mut transaction, id).await?;
    let done = tidewatch_jobs::retry(&mut transaction, id).await.map_err(|error| match error {
        RetryError::Database(error) => error.into(),
        taken => Error::Refused(taken.to_string()),
    })?;
    if !done {
        return Err(Error::Refused(format!(
            "the job is {}: only what has come to its end is done again",
            before.state
        )));
    }
    let after = noted(&mut transaction, caller, origin, "job.retry", before).await?;
    transaction.commit().await?;
    state.jobs.wake_workers();
    Ok(after)
}

/// Calls a job off: at once where it waits, as soon as its handler sees it where it runs.
///
/// # Errors
/// 403 without `jobs.act`, 404, 409 when it has come to its end.
pub async fn cancel(state: &AppState, caller: &Caller, origin: &Origin, id: JobId) -> Result<Job, Error> {
    caller.require_manager(&Permission::JOBS_ACT)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let before = find_job(&mut transaction, id).await?;
    let reached = tidewatch_jobs::cancel(&mut transaction, id).await?;
    if reached.is_none() {
        return Err(Error::Refused(format!("the job is {} already", before.state)));
    }
    let after = noted(&mut transaction, caller, origin, "job.cancel", before).await?;
    transaction.commit().await?;
    if reached == Some(JobState::Running) {
        state.jobs.wake_cancelled();
    }
    Ok(after)
}

async fn noted(
    connection: &mut PgConnection,
    caller: &Caller,
    origin: &Origin,
    action: &str,
    before: Job,
) -> Result<Job, Error> {
    let after = find_job(connection, before.id).await?;
    let change = Change {
        action,
        target: before.id.to_string(),
        target_name: &before.kind,
        before: Some(json!({ "state": before.state.as_str() })),
        after: Some(json!({ "state": after.state.as_str() })),
    };
    note(connection, caller, origin, change).await?;
    Ok(after)
}
