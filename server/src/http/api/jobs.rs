//! `/api/v1/jobs`: what is done behind requests, how far it is, and what went wrong.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Serialize;
use serde_json::{Value, json};
use tidewatch_events::{Permission, Timestamp};
use tidewatch_jobs::{FailedAttempt, Job, JobFilter, JobId, JobState, Progress};

use super::settlements::ReadOrigin;
use crate::access::Caller;
use crate::commands;
use crate::db;
use crate::error::Error;
use crate::http::query::Query;
use crate::state::AppState;

/// Most jobs of a page.
const MAX_LIMIT: u64 = 500;
/// Jobs of a page where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 50;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/jobs", get(list))
        .route("/api/v1/jobs/{id}", get(read))
        .route("/api/v1/jobs/{id}/retry", post(retry))
        .route("/api/v1/jobs/{id}/cancel", post(cancel))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct JobJson {
    id: JobId,
    queue: String,
    kind: String,
    payload: Value,
    state: &'static str,
    priority: i16,
    run_at: Timestamp,
    attempt: u32,
    max_attempts: u32,
    leased_by: Option<String>,
    cancel_requested: bool,
    progress: Option<Progress>,
    /// The last ten, oldest first.
    errors: Vec<FailedAttempt>,
    created_at: Timestamp,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
}

impl From<Job> for JobJson {
    fn from(job: Job) -> Self {
        Self {
            id: job.id,
            queue: job.queue,
            kind: job.kind,
            payload: serde_json::from_str(&job.payload).unwrap_or_default(),
            state: job.state.as_str(),
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
}

async fn list(State(state): State<AppState>, caller: Caller, query: Query) -> Result<Json<Value>, Error> {
    caller.require_manager(&Permission::JOBS_READ)?;
    let query = query.only(&["state", "queue", "kind", "after", "limit"])?;
    let limit = u32::try_from(query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?).unwrap_or(u32::MAX - 1);
    let known = || JobState::ALL.map(JobState::as_str).join(", ");
    let job_state = query
        .get("state")
        .map(|text| text.parse().map_err(|_| Error::parameter("state", format!("is none of {}", known()))))
        .transpose()?;
    let filter = JobFilter {
        state: job_state,
        queue: query.get("queue").map(ToOwned::to_owned),
        kind: query.get("kind").map(ToOwned::to_owned),
    };
    let before: Option<JobId> = query.parse("after")?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let mut jobs = tidewatch_jobs::list(&mut snapshot, &filter, before, limit + 1).await?;
    let more = jobs.len() > limit as usize;
    jobs.truncate(limit as usize);
    let next = jobs.last().filter(|_| more).map(|last| last.id);
    let counts = tidewatch_jobs::counts(&mut snapshot).await?;
    let counts: Vec<Value> = counts
        .iter()
        .map(|count| {
            json!({ "state": count.state.as_str(), "queue": count.queue, "jobs": count.jobs, "more": count.more })
        })
        .collect();
    let jobs: Vec<JobJson> = jobs.into_iter().map(Into::into).collect();
    Ok(Json(json!({ "jobs": jobs, "next": next, "counts": counts })))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<JobJson>, Error> {
    caller.require_manager(&Permission::JOBS_READ)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    Ok(Json(commands::jobs::find(&mut snapshot, read_id(&id)?).await?.into()))
}

async fn retry(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(id): Path<String>,
) -> Result<Json<JobJson>, Error> {
    Ok(Json(commands::jobs::retry(&state, &caller, &origin, read_id(&id)?).await?.into()))
}

async fn cancel(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(id): Path<String>,
) -> Result<Json<JobJson>, Error> {
    Ok(Json(commands::jobs::cancel(&state, &caller, &origin, read_id(&id)?).await?.into()))
}

fn read_id(text: &str) -> Result<JobId, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("job `{text}`")))
}
