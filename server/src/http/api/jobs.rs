//! `/api/v1/jobs`: what is done behind requests, how far it is, and what went wrong.

use axum::Json;
use axum::extract::{Path, State};
use tidewatch_app::model::{Job, JobPage, JobQuery};
use tidewatch_events::id::JobId;
use tidewatch_events::job::JobState;

use crate::access::Caller;
use crate::api_documents::{Operation, Routes};
use crate::commands;
use crate::error::Error;
use crate::http::origin::ReadOrigin;
use crate::http::problem_kind::ProblemKind;
use crate::http::query::Query;
use crate::queries::{self, job_of};
use crate::state::AppState;

/// Most jobs of a page.
const MAX_LIMIT: u64 = 500;
/// Jobs of a page where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 50;

/// The routes.
pub fn routes() -> Routes {
    Routes::of("Jobs")
        .get(
            "/api/v1/jobs",
            list,
            Operation::new("listJobs", "List jobs")
                .needs("jobs.read")
                .query_of("state", "Only in this state.", &JobState::ALL.map(JobState::as_str))
                .query::<String>("queue", "Only of this queue.")
                .query::<String>("kind", "Only of this kind, such as `key.revoke`.")
                .query::<JobId>("after", "`next` of the page before.")
                .query_number("limit", "Most jobs of the page.", 1, MAX_LIMIT, DEFAULT_LIMIT)
                .answers::<JobPage>("A page of jobs, newest first."),
        )
        .get(
            "/api/v1/jobs/{id}",
            read,
            Operation::new("getJob", "Read a job")
                .needs("jobs.read")
                .path::<JobId>("id", "Which.")
                .answers::<Job>("The job."),
        )
        .post(
            "/api/v1/jobs/{id}/retry",
            retry,
            Operation::new("retryJob", "Have a job done again")
                .needs("jobs.act")
                .path::<JobId>("id", "Which: one that has come to its end.")
                .answers::<Job>("The job, which waits.")
                .gives([ProblemKind::Refused]),
        )
        .post(
            "/api/v1/jobs/{id}/cancel",
            cancel,
            Operation::new("cancelJob", "Call a job off")
                .needs("jobs.act")
                .path::<JobId>("id", "Which.")
                .answers::<Job>("The job.")
                .gives([ProblemKind::Refused]),
        )
}

async fn list(State(state): State<AppState>, caller: Caller, query: Query) -> Result<Json<JobPage>, Error> {
    let limit = u32::try_from(query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?).unwrap_or(u32::MAX - 1);
    let known = || JobState::ALL.map(JobState::as_str).join(", ");
    let job_state = query
        .get("state")
        .map(|text| text.parse().map_err(|_| Error::parameter("state", format!("is none of {}", known()))))
        .transpose()?;
    let wanted = JobQuery {
        state: job_state,
        queue: query.get("queue").map(ToOwned::to_owned),
        kind: query.get("kind").map(ToOwned::to_owned),
        after: query.parse("after")?,
    };
    Ok(Json(queries::jobs(&state, &caller, &wanted, limit).await?))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Job>, Error> {
    Ok(Json(queries::job(&state, &caller, read_id(&id)?).await?))
}

async fn retry(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(id): Path<String>,
) -> Result<Json<Job>, Error> {
    Ok(Json(job_of(commands::jobs::retry(&state, &caller, &origin, read_id(&id)?).await?, &caller)))
}

async fn cancel(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(id): Path<String>,
) -> Result<Json<Job>, Error> {
    Ok(Json(job_of(commands::jobs::cancel(&state, &caller, &origin, read_id(&id)?).await?, &caller)))
}

fn read_id(text: &str) -> Result<JobId, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("job `{text}`")))
}
