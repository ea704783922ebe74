//! The witness looks: by the clock in every project, and at once where somebody asks.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use tidewatch_events::ProjectId;
use tidewatch_events::id::JobId;
use tidewatch_jobs::{
    EnqueueError, Enqueued, Handler, JobContext, JobError, JobPayload, NewJob, Waker, enqueue, enqueue_all,
};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::db::witness_runs::projects_without_job;
use crate::error::Error;
use crate::state::AppState;
use crate::witness::run::Runner;

/// Of one key, one run by the clock is there in each project.
const BY_THE_CLOCK: &str = "by the clock";
/// And one that somebody asked for.
const AT_ONCE: &str = "at once";
/// When a run comes again that could not begin, for another one goes on.
const COME_AGAIN: Duration = Duration::from_secs(5);
/// What takes longer than that hangs.
const LONGEST: Duration = Duration::from_secs(6 * 60 * 60);
/// How often to look for new projects.
const LOOK: Duration = Duration::from_secs(60);

/// The project that is to be looked at.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RunWitness {
    project: ProjectId,
    /// Whether this is somebody's wish, beside the runs by the clock.
    #[serde(default)]
    once: bool,
}

impl JobPayload for RunWitness {
    const KIND: &'static str = "witness.run";
}

/// Has the witness look at once.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn enqueue_at_once(connection: &mut PgConnection, project: ProjectId) -> Result<JobId, Error> {
    let job = NewJob::of(&RunWitness { project, once: true })?.in_project(project).unique(AT_ONCE);
    let enqueued = enqueue(connection, job.with_priority(10)).await;
    enqueued.map(Enqueued::id).map_err(|error| match error {
        EnqueueError::Database(error) => error.into(),
        other => Error::Internal(other.to_string()),
    })
}

/// Sees to it until `shutdown` that each project has its run by the clock, new ones too.
pub async fn keep(state: AppState, pool: sqlx::PgPool, shutdown: CancellationToken) {
    let Some(every) = interval(&state) else { return };
    loop {
        if let Err(error) = ensure(&pool, &state.jobs, every).await {
            tracing::warn!(error, "cannot plan the runs of the witness; will try again");
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

async fn ensure(pool: &sqlx::PgPool, waker: &Waker, every: Duration) -> Result<(), String> {
    let projects = projects_without_job(pool, RunWitness::KIND, BY_THE_CLOCK).await;
    let projects = projects.map_err(|error| error.to_string())?;
    if projects.is_empty() {
        return Ok(());
    }
    let jobs: Result<Vec<NewJob>, _> = projects
        .into_iter()
        .map(|project| {
            let job = NewJob::of(&RunWitness { project, once: false })?;
            Ok::<_, serde_json::Error>(job.in_project(project).unique(BY_THE_CLOCK).after(every))
        })
        .collect();
    let jobs = jobs.map_err(|error| error.to_string())?;
    let mut connection = pool.acquire().await.map_err(|error| error.to_string())?;
    enqueue_all(&mut connection, &jobs).await.map_err(|error| error.to_string())?;
    waker.wake_workers();
    Ok(())
}

/// Between two runs by the clock; `None`: there are none.
fn interval(state: &AppState) -> Option<Duration> {
    match state.config.witness_minutes {
        0 => None,
        minutes => Some(Duration::from_secs(u64::from(minutes) * 60)),
    }
}

/// Does these jobs.
pub struct WitnessRunner {
    state: AppState,
    /// A run holds three connections of those for requests: an instance makes one at a time.
    turn: Semaphore,
}

impl WitnessRunner {
    /// A runner of this instance.
    #[must_use]
    pub fn new(state: &AppState) -> Self {
        Self { state: state.clone(), turn: Semaphore::new(1) }
    }
}

impl Handler for WitnessRunner {
    type Payload = RunWitness;

    fn timeout(&self) -> Duration {
        LONGEST
    }

    async fn run(&self, job: &JobContext, RunWitness { project, once }: RunWitness) -> Result<(), JobError> {
        if job.project() != Some(project) {
            return Err(JobError::cancel("it is about another project than the job's"));
        }
        let every = interval(&self.state);
        if !once && every.is_none() {
            return Err(JobError::cancel(
                "the witness looks only where somebody asks (TIDEWATCH_WITNESS_MINUTES=0)",
            ));
        }
        let Ok(_turn) = self.turn.try_acquire() else { return Err(JobError::snooze(COME_AGAIN)) };
        let runner = Runner::new(&self.state, project, job.id().to_string());
        let mut tell = |progress: crate::witness::Progress<'_>| {
            let done = u64::try_from(progress.done).unwrap_or(u64::MAX);
            let total = u64::try_from(progress.total).unwrap_or(u64::MAX);
            job.progress(done, total, format!("{}: {} records", progress.title, progress.records));
        };
        match runner.run(&mut tell, &|| job.is_cancelled()).await {
            Ok(None) => Err(JobError::snooze(COME_AGAIN)),
            Err(error) if job.is_cancelled() => Err(JobError::cancel(error.to_string())),
            Err(error) => Err(JobError::retry(error.to_string())),
            Ok(Some(_)) => match every.filter(|_| !once) {
                Some(every) => Err(JobError::snooze(every)),
                None => Ok(()),
            },
        }
    }
}
