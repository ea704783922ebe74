//! What is done behind requests.

use sqlx::PgConnection;
use tidewatch_app::model::{Job, JobAction, JobCount, JobPage, JobQuery};
use tidewatch_events::Permission;
use tidewatch_events::id::JobId;
use tidewatch_jobs::JobFilter;

use super::cut_page;
use crate::access::Caller;
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// A page of the project's jobs, newest first.
///
/// # Errors
/// 403 without `jobs.read`.
pub async fn jobs(state: &AppState, caller: &Caller, query: &JobQuery, limit: u32) -> Result<JobPage, Error> {
    caller.require_manager(&Permission::JOBS_READ)?;
    let filter = JobFilter { state: query.state, queue: query.queue.clone(), kind: query.kind.clone() };
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let mut jobs = tidewatch_jobs::list(&mut snapshot, &filter, query.after, limit + 1).await?;
    let next = cut_page(&mut jobs, limit, |last| last.id);
    let counts = tidewatch_jobs::counts(&mut snapshot).await?;
    let counts = counts
        .into_iter()
        .map(|count| JobCount { state: count.state, queue: count.queue, jobs: count.jobs, more: count.more })
        .collect();
    Ok(JobPage { jobs: jobs.into_iter().map(|job| job_of(job, caller)).collect(), next, counts })
}

/// One job of the project.
///
/// # Errors
/// 403 without `jobs.read`, 404.
pub async fn job(state: &AppState, caller: &Caller, id: JobId) -> Result<Job, Error> {
    caller.require_manager(&Permission::JOBS_READ)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    Ok(job_of(find_job(&mut snapshot, id).await?, caller))
}

/// A job that this transaction can see.
///
/// # Errors
/// 404.
pub async fn find_job(connection: &mut PgConnection, id: JobId) -> Result<tidewatch_jobs::Job, Error> {
    tidewatch_jobs::find(connection, id).await?.ok_or_else(|| Error::NotFound(format!("job {id}")))
}

/// The job as pages and the API show it to this caller.
#[must_use]
pub fn job_of(job: tidewatch_jobs::Job, caller: &Caller) -> Job {
    let may_act = caller.require_manager(&Permission::JOBS_ACT).is_ok();
    let action = match (job.state.is_final(), job.cancel_requested) {
        (true, _) => Some(JobAction::Retry),
        (false, false) => Some(JobAction::Cancel),
        (false, true) => None,
    };
    Job {
        actions: action.filter(|_| may_act).into_iter().collect(),
        id: job.id,
        queue: job.queue,
        kind: job.kind,
        payload: serde_json::from_str(&job.payload).unwrap_or_default(),
        state: job.state,
        priority: job.priority,
        run_at: job.run_at,
        attempt: job.attempt,
        max_attempts: job.max_attempts,
        leased_by: job.leased_by,
        cancel_requested: job.cancel_requested,
        progress: job.progress,
        errors: job.errors,
        created_at: job.created_at,
        started_at: job.started_at,
        finished_at: job.finished_at,
    }
}
