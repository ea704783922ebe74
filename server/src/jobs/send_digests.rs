//! Looks by the clock in every project for whom a digest is due.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tidewatch_events::ProjectId;
use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload, NewJob, Waker, enqueue_all};
use tokio_util::sync::CancellationToken;

use super::mail_digest;
use super::mail_notification::project_of;
use crate::db;
use crate::db::witness_runs::projects_without_job;
use crate::state::AppState;

/// Of this key, one job is there in each project.
const BY_THE_CLOCK: &str = "by the clock";
/// Between two looks in a project: a digest is no later than that.
const EVERY: Duration = Duration::from_secs(5 * 60);
/// How often to look for new projects.
const LOOK: Duration = Duration::from_secs(60);

/// The project that is to be looked at: the job's.
#[derive(Debug, Serialize, Deserialize)]
pub struct SendDigests {}

impl JobPayload for SendDigests {
    const KIND: &'static str = "notification.digests";
}

/// Sees to it until `shutdown` that each project has its job, new ones too, where this server sends e-mail.
pub async fn keep(state: AppState, pool: sqlx::PgPool, shutdown: CancellationToken) {
    if !state.outside.sends_email() {
        return;
    }
    loop {
        if let Err(error) = ensure(&pool, &state.jobs).await {
            tracing::warn!(error, "cannot plan the digests of notifications; will try again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

async fn ensure(pool: &sqlx::PgPool, waker: &Waker) -> Result<(), String> {
    let projects = projects_without_job(pool, SendDigests::KIND, BY_THE_CLOCK).await;
    let projects = projects.map_err(|error| error.to_string())?;
    if projects.is_empty() {
        return Ok(());
    }
    let jobs: Result<Vec<NewJob>, _> = projects.into_iter().map(new_job).collect();
    let jobs = jobs.map_err(|error| error.to_string())?;
    let mut connection = pool.acquire().await.map_err(|error| error.to_string())?;
    enqueue_all(&mut connection, &jobs).await.map_err(|error| error.to_string())?;
    waker.wake_workers();
    Ok(())
}

fn new_job(project: ProjectId) -> Result<NewJob, serde_json::Error> {
    Ok(NewJob::of(&SendDigests {})?.in_project(project).unique(BY_THE_CLOCK))
}

/// Does these jobs.
pub struct DigestSender {
    state: AppState,
}

impl DigestSender {
    /// A sender of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self { state: state.clone() }
    }
}

impl Handler for DigestSender {
    type Payload = SendDigests;

    async fn run(&self, job: &JobContext, SendDigests {}: SendDigests) -> Result<(), JobError> {
        if !self.state.outside.sends_email() {
            // Where e-mail is sent again, `keep` makes another one.
            return Err(super::mail_notification::no_mail());
        }
        let project = project_of(job)?;
        let pool = &self.state.notifications.pool;
        let due = db::notifications::outside::digests_due(pool, project).await?;
        let jobs: Result<Vec<NewJob>, _> =
            due.into_iter().map(|user| mail_digest::new_job(project, user)).collect();
        enqueue_all(&mut *pool.acquire().await?, &jobs?).await?;
        self.state.jobs.wake_workers();
        Err(JobError::snooze(EVERY))
    }
}
