//! Jobs: done again, or called off.

use serde_json::json;
use sqlx::PgConnection;
use tidewatch_app::model::{ManyJobs, ManyJobsMoved};
use tidewatch_events::Permission;
use tidewatch_jobs::{CancelledJobs, Job, JobFilter, JobId, JobState, RetryError};

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

/// Has all finished jobs of a list done again; where it is not `confirmed`, says how many that would be. At most
/// [`tidewatch_jobs::MOVED`] at once, and one entry of the audit log for all of them.
///
/// # Errors
/// 403 without `jobs.act`, 422 for a state in which no job has come to its end, 409 where another job of the key of one of
/// them was enqueued this very moment.
pub async fn retry_many(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    many: &ManyJobs,
    confirmed: bool,
) -> Result<ManyJobsMoved, Error> {
    caller.require_manager(&Permission::JOBS_ACT)?;
    if !many.state.is_final() {
        return Err(Error::field(
            "state",
            "must be completed, cancelled or dead: only what has come to its end is done again",
        ));
    }
    let filter = filter_of(many);
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    if !confirmed {
        return Ok(would_move(tidewatch_jobs::count_retried(&mut transaction, &filter).await?));
    }
    let jobs = tidewatch_jobs::retry_all(&mut transaction, &filter).await.map_err(|error| match error {
        RetryError::Database(error) => error.into(),
        taken => Error::Refused(taken.to_string()),
    })?;
    let more = tidewatch_jobs::count_retried(&mut transaction, &filter).await? > 0;
    note_many(&mut transaction, caller, origin, "job.retry_many", many, jobs).await?;
    transaction.commit().await?;
    state.jobs.wake_workers();
    Ok(ManyJobsMoved { done: true, jobs, more })
}

/// Calls all unfinished jobs of a list off; where it is not `confirmed`, says how many that would be. At most
/// [`tidewatch_jobs::MOVED`] at once, and one entry of the audit log for all of them.
///
/// # Errors
/// 403 without `jobs.act`, 422 for a state in which jobs have come to their end.
pub async fn cancel_many(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    many: &ManyJobs,
    confirmed: bool,
) -> Result<ManyJobsMoved, Error> {
    caller.require_manager(&Permission::JOBS_ACT)?;
    if many.state.is_final() {
        return Err(Error::field(
            "state",
            "must be scheduled, waiting or running: the others have come to their end",
        ));
    }
    let filter = filter_of(many);
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    if !confirmed {
        return Ok(would_move(tidewatch_jobs::count_cancelled(&mut transaction, &filter).await?));
    }
    let CancelledJobs { cancelled, told } = tidewatch_jobs::cancel_all(&mut transaction, &filter).await?;
    let more = tidewatch_jobs::count_cancelled(&mut transaction, &filter).await? > 0;
    note_many(&mut transaction, caller, origin, "job.cancel_many", many, cancelled + told).await?;
    transaction.commit().await?;
    if told > 0 {
        state.jobs.wake_cancelled();
    }
    Ok(ManyJobsMoved { done: true, jobs: cancelled + told, more })
}

fn filter_of(many: &ManyJobs) -> JobFilter {
    JobFilter { state: Some(many.state), queue: many.queue.clone(), kind: many.kind.clone() }
}

fn would_move(counted: u64) -> ManyJobsMoved {
    let most = u64::from(tidewatch_jobs::MOVED);
    ManyJobsMoved { done: false, jobs: counted.min(most), more: counted > most }
}

/// One entry for all of them; none where nothing was moved.
async fn note_many(
    connection: &mut PgConnection,
    caller: &Caller,
    origin: &Origin,
    action: &str,
    many: &ManyJobs,
    jobs: u64,
) -> Result<(), Error> {
    if jobs == 0 {
        return Ok(());
    }
    let name = format!("{jobs} that were {}", many.state);
    let change = Change {
        action,
        target: "jobs".to_owned(),
        target_name: &name,
        before: Some(json!(many)),
        after: Some(json!({ "jobs": jobs })),
    };
    note(connection, caller, origin, change).await
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
