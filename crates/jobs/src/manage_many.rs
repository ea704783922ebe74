//! What people do with many jobs at once: all that a filter shows are called off, or done again.
//!
//! A job that a worker or somebody else holds at that moment is left out rather than waited for: many rows that wait for
//! one would hold up the queue.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use crate::list::{JobFilter, push_filter};
use crate::manage::RetryError;

/// So many jobs are moved at once at most, the newest first: the others wait for the next time.
pub const MOVED: u32 = 10_000;

const FINISHED: &str = "state in ('completed', 'cancelled', 'dead')";
const UNFINISHED: &str = "state in ('scheduled', 'waiting', 'running') and cancel_requested_at is null";

/// Of the finished jobs of one unique key the newest, and none where an unfinished one has the key: only one of a key
/// waits or runs at a time.
const FREE_OF_KEYS: &str = "chosen as (
     select ranked.id from (
         select *, row_number() over (partition by queue, kind, project_id, unique_key order by id desc) as place
         from candidates) as ranked
     where ranked.unique_key is null
        or ranked.place = 1 and not exists (
            select from jobs as other
            where other.queue = ranked.queue and other.kind = ranked.kind and other.unique_key = ranked.unique_key
              and other.project_id is not distinct from ranked.project_id
              and other.state in ('scheduled', 'waiting', 'running')))";

/// What came of calling many jobs off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelledJobs {
    /// So many had not begun, and never will.
    pub cancelled: u64,
    /// So many run, and have to see that they are to stop: tell [`crate::Waker::wake_cancelled`] after the commit.
    pub told: u64,
}

/// How many jobs [`retry_all`] would have done again; counting stops behind [`MOVED`].
///
/// # Errors
/// Postgres could not be reached or refused.
pub async fn count_retried(connection: &mut PgConnection, filter: &JobFilter) -> Result<u64, sqlx::Error> {
    let mut query = candidates(FINISHED, filter, MOVED + 1, "");
    query.push(", ").push(FREE_OF_KEYS).push(" select count(*) from chosen");
    count(connection, query).await
}

/// How many jobs [`cancel_all`] would call off; counting stops behind [`MOVED`].
///
/// # Errors
/// Postgres could not be reached or refused.
pub async fn count_cancelled(connection: &mut PgConnection, filter: &JobFilter) -> Result<u64, sqlx::Error> {
    let mut query = candidates(UNFINISHED, filter, MOVED + 1, "");
    query.push(" select count(*) from candidates");
    count(connection, query).await
}

/// Has the finished jobs that the filter shows done again, in the caller's transaction, each as by
/// [`crate::retry`], and says how many. Tell [`crate::Waker::wake_workers`] after the commit.
///
/// # Errors
/// See [`RetryError`]: a job with the unique key of one of them was enqueued this very moment.
pub async fn retry_all(connection: &mut PgConnection, filter: &JobFilter) -> Result<u64, RetryError> {
    let mut query = candidates(FINISHED, filter, MOVED, " for update skip locked");
    query.push(", ").push(FREE_OF_KEYS).push(
        " update jobs
         set state = 'waiting', run_at = statement_timestamp(), attempt = 0, progress = null,
             cancel_requested_at = null, finished_at = null
         where id in (select id from chosen)",
    );
    Ok(query.build().execute(connection).await.map_err(RetryError::of)?.rows_affected())
}

/// Calls the unfinished jobs off that the filter shows, in the caller's transaction, each as by [`crate::cancel`].
///
/// # Errors
/// Postgres could not be reached or refused.
pub async fn cancel_all(
    connection: &mut PgConnection,
    filter: &JobFilter,
) -> Result<CancelledJobs, sqlx::Error> {
    let mut query = candidates(UNFINISHED, filter, MOVED, " for update skip locked");
    query.push(
        ", called_off as (
             update jobs
             set cancel_requested_at = statement_timestamp(),
                 state = case when state = 'running' then state else 'cancelled' end,
                 finished_at = case when state = 'running' then null else statement_timestamp() end
             where id in (select id from candidates)
             returning state)
         select count(*) filter (where state <> 'running'), count(*) filter (where state = 'running')
         from called_off",
    );
    let (cancelled, told): (i64, i64) = query.build_query_as().fetch_one(connection).await?;
    Ok(CancelledJobs { cancelled: cancelled.unsigned_abs(), told: told.unsigned_abs() })
}

/// `with candidates as (…)`: the newest jobs that the filter shows and that can be moved.
fn candidates(movable: &str, filter: &JobFilter, most: u32, lock: &str) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(
        "with candidates as materialized (
             select id, queue, kind, unique_key, project_id from jobs where ",
    );
    query.push(movable);
    push_filter(&mut query, filter);
    query.push(" order by id desc limit ").push_bind(i64::from(most)).push(lock).push(")");
    query
}

async fn count(connection: &mut PgConnection, mut query: QueryBuilder<Postgres>) -> Result<u64, sqlx::Error> {
    let count: i64 = query.build_query_scalar().fetch_one(connection).await?;
    Ok(count.unsigned_abs())
}
