//! What comes due: scheduled jobs whose time has come, and leases that ran out.
//!
//! Every worker looks, so nobody has to be elected and nothing depends on one that is lost. Claims read only
//! what waits: a million jobs that are scheduled for tomorrow do not slow them.

use std::time::Duration;

use sqlx::PgPool;

/// Most rows that are moved at once.
const BATCH: i64 = 1_000;

/// What a look came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Some jobs wait that did not before.
    pub(crate) moved: bool,
    /// There are more than one look moves.
    pub(crate) more: bool,
    /// Until the next scheduled job is due.
    pub(crate) next: Option<Duration>,
}

/// Lets wait what is due, and takes from lost workers what they held.
pub(crate) async fn look(pool: &PgPool) -> Result<Look, sqlx::Error> {
    let rescued = rescue(pool).await?;
    let (promoted, next): (i64, Option<f64>) = sqlx::query_as(
        "with due as (
             update jobs set state = 'waiting'
             where id = any(array(
                 select id from jobs where state = 'scheduled' and run_at <= statement_timestamp()
                 order by run_at limit $1
                 for update skip locked))
             returning id
         )
         select (select count(*) from due),
                (select extract(epoch from min(run_at) - statement_timestamp())::double precision
                 from jobs where state = 'scheduled' and run_at > statement_timestamp())",
    )
    .bind(BATCH)
    .fetch_one(pool)
    .await?;
    Ok(Look {
        moved: promoted > 0 || rescued > 0,
        more: promoted == BATCH || rescued == BATCH.unsigned_abs(),
        next: next.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
    })
}

/// Takes back the jobs whose leases ran out, and says how many. The attempt counts, so that a job that kills
/// its worker each time is dead in the end; it is tried again at once, for it has waited for a lease.
async fn rescue(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let rescued = sqlx::query(
        "update jobs
         set state = case when cancel_requested_at is not null then 'cancelled'
                          when attempt >= max_attempts then 'dead'
                          else 'waiting' end,
             finished_at = case when cancel_requested_at is not null or attempt >= max_attempts
                                then clock_timestamp() end,
             errors = append_job_error(errors, attempt, 'the worker ' || leased_by || ' was lost'),
             leased_by = null, leased_until = null
         where id = any(array(
             select id from jobs where state = 'running' and leased_until < statement_timestamp()
             limit $1
             for update skip locked))",
    )
    .bind(BATCH)
    .execute(pool)
    .await?
    .rows_affected();
    if rescued > 0 {
        tracing::warn!(jobs = rescued, "took jobs from workers that were lost");
    }
    Ok(rescued)
}
