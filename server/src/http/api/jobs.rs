//! `/api/v1/jobs`: what is done behind requests, how far it is, and what went wrong.

use axum::Json;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Deserialize;
use tidewatch_app::model::{Job, JobPage, JobQuery, ManyJobs, ManyJobsMoved};
use tidewatch_events::id::JobId;
use tidewatch_events::job::JobState;

use crate::access::Caller;
use crate::api_documents::{Operation, Routes};
use crate::commands;
use crate::error::Error;
use crate::http::json_body::JsonBody;
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
    let many = |id, title| {
        Operation::new(id, title)
            .needs("jobs.act")
            .body::<ManyJobsMove>()
            .answers::<ManyJobsMoved>("How many.")
    };
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
            "/api/v1/jobs/retry",
            retry_many,
            many("retryJobs", "Have many jobs done again")
                .describe(
                    "All that have come to their end in this state, the newest first, up to 10,000. Of those with one \
                     unique key one alone is done again, and none where another one waits. Without `confirmed` \
                     nothing is done: the answer says how many it would be.",
                )
                .gives([ProblemKind::Refused]),
        )
        .post(
            "/api/v1/jobs/cancel",
            cancel_many,
            many("cancelJobs", "Call many jobs off").describe(
                "All in this state, the newest first, up to 10,000. Without `confirmed` nothing is done: the answer \
                 says how many it would be.",
            ),
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

/// What is asked of many jobs.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ManyJobsMove {
    /// In this state.
    state: JobState,
    /// Of this queue; by default of all.
    #[serde(default)]
    queue: Option<String>,
    /// Of this kind; by default of all.
    #[serde(default)]
    kind: Option<String>,
    /// Whether it is to be done. By default it is only said how many jobs it would be.
    #[serde(default)]
    confirmed: bool,
}

impl ManyJobsMove {
    fn split(self) -> (ManyJobs, bool) {
        let Self { state, queue, kind, confirmed } = self;
        (ManyJobs { state, queue, kind }, confirmed)
    }
}

async fn retry_many(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(asked): JsonBody<ManyJobsMove>,
) -> Result<Json<ManyJobsMoved>, Error> {
    let (many, confirmed) = asked.split();
    Ok(Json(commands::jobs::retry_many(&state, &caller, &origin, &many, confirmed).await?))
}

async fn cancel_many(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(asked): JsonBody<ManyJobsMove>,
) -> Result<Json<ManyJobsMoved>, Error> {
    let (many, confirmed) = asked.split();
    Ok(Json(commands::jobs::cancel_many(&state, &caller, &origin, &many, confirmed).await?))
}

fn read_id(text: &str) -> Result<JobId, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("job `{text}`")))
}
