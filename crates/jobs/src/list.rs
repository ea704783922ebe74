//! Jobs for a page: one, a list, and how many there are.

use sqlx::{PgConnection, Postgres, QueryBuilder};
use tidewatch_events::id::JobId;
use tidewatch_events::job::JobState;

use crate::job::{Job, job_columns};

/// Of a state, so many jobs are counted at most: an exact count of millions would cost each look at the page
/// seconds.
pub const COUNTED: i64 = 10_000;

/// Which jobs a list shows. By default all that the connection's role may see.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// In this state.
    pub state: Option<JobState>,
    /// Of this queue.
    pub queue: Option<String>,
    /// Of this kind.
    pub kind: Option<String>,
}

/// How many jobs of a queue are in a state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobCount {
    /// The state.
    pub state: JobState,
    /// The queue.
    pub queue: String,
    /// How many there are, at least.
    pub jobs: u64,
    /// There are more: counting stopped at [`COUNTED`] jobs of this state.
    pub more: bool,
}

/// The job; `None` when there is none, or it is another project's: those look the same.
///
/// # Errors
/// Postgres could not be reached or refused.
pub async fn find(connection: &mut PgConnection, job: JobId) -> Result<Option<Job>, sqlx::Error> {
    sqlx::query_as(concat!("select ", job_columns!(), " from jobs where id = $1"))
        .bind(job.uuid())
        .fetch_optional(connection)
        .await
}

/// At most `limit` jobs, newest first, that are older than `before`: the last one of the page before.
///
/// # Errors
/// Postgres could not be reached or refused.
pub async fn list(
    connection: &mut PgConnection,
    filter: &JobFilter,
    before: Option<JobId>,
    limit: u32,
) -> Result<Vec<Job>, sqlx::Error> {
    let mut query =
        QueryBuilder::<Postgres>::new(concat!("select ", job_columns!(), " from jobs where true"));
    push_filter(&mut query, filter);
    if let Some(before) = before {
        query.push(" and id < ").push_bind(before.uuid());
    }
    query.push(" order by id desc limit ").push_bind(i64::from(limit));
    query.build_query_as().fetch_all(connection).await
}

/// What the filter asks for, behind another condition.
pub(crate) fn push_filter(query: &mut QueryBuilder<Postgres>, filter: &JobFilter) {
    if let Some(state) = filter.state {
        // Not bound: an index of one state is used where the statement itself names the state.
        query.push(" and state = '").push(state.as_str()).push("'");
    }
    if let Some(queue) = &filter.queue {
        query.push(" and queue = ").push_bind(queue.clone());
    }
    if let Some(kind) = &filter.kind {
        query.push(" and kind = ").push_bind(kind.clone());
    }
}

/// How many jobs there are, by state and queue. Queues without a job in a state are left out.
///
/// # Errors
/// Postgres could not be reached or refused.
pub async fn counts(connection: &mut PgConnection) -> Result<Vec<JobCount>, sqlx::Error> {
    counts_of(connection, &JobState::ALL).await
}

/// The same of these states alone, of which there is one at least.
///
/// # Errors
/// Postgres could not be reached or refused.
pub async fn counts_of(
    connection: &mut PgConnection,
    states: &[JobState],
) -> Result<Vec<JobCount>, sqlx::Error> {
    let mut query = QueryBuilder::<Postgres>::new("");
    for (place, state) in states.iter().enumerate() {
        query.push(if place == 0 { "" } else { " union all " });
        query.push(format_args!(
            "select '{state}' as state, queue, count(*) as jobs, sum(count(*)) over () > {COUNTED} as more
             from (select queue from jobs where state = '{state}' limit {}) counted group by queue",
            COUNTED + 1
        ));
    }
    let rows: Vec<(String, String, i64, bool)> = query.build_query_as().fetch_all(connection).await?;
    let counts = rows.into_iter().map(|(state, queue, jobs, more)| {
        let state = state
            .parse()
            .map_err(|error: tidewatch_events::job::ParseJobStateError| sqlx::Error::Decode(error.into()))?;
        Ok(JobCount { state, queue, jobs: jobs.unsigned_abs(), more })
    });
    counts.collect()
}
