//! Settling: what came of runs is written, many in one statement.

use std::collections::HashSet;

use sqlx::PgPool;
use tidewatch_events::id::JobId;
use tidewatch_events::job::Progress;
use uuid::Uuid;

use crate::claim::Lease;

use crate::error::Verdict;
use crate::retry::RetryPolicy;
use crate::row::LONGEST_DELAY_SECONDS;
use crate::text::keepable;

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Settled {
    lease: Lease,
    state: &'static str,
    delay: Option<f64>,
    message: Option<String>,
    counts: bool,
    pub(crate) progress: Option<Progress>,
}

impl Settled {
    /// What `verdict` comes to for a job at this attempt.
    pub(crate) fn of(
        lease: Lease,
        attempt: u32,
        max_attempts: u32,
        verdict: Verdict,
        policy: &RetryPolicy,
    ) -> Self {
        let settled =
            Self { lease, state: "completed", delay: None, message: None, counts: true, progress: None };
        match verdict {
            Verdict::Completed => settled,
            Verdict::Failed { message, .. } if attempt >= max_attempts => {
                Self { state: "dead", message: Some(keepable(&message)), ..settled }
            }
            Verdict::Failed { message, after } => {
                let delay = after.unwrap_or_else(|| policy.delay(attempt, rand::random()));
                let delay = Some(delay.as_secs_f64().min(LONGEST_DELAY_SECONDS));
                Self { state: "scheduled", delay, message: Some(keepable(&message)), ..settled }
            }
            Verdict::Cancelled { reason } => {
                Self { state: "cancelled", message: Some(keepable(&reason)), ..settled }
            }
            Verdict::Snoozed(delay) => {
                let delay = Some(delay.as_secs_f64().min(LONGEST_DELAY_SECONDS));
                Self { state: "scheduled", delay, counts: false, ..settled }
            }
            Verdict::GivenBack => Self { state: "waiting", counts: false, ..settled },
        }
    }

    /// Whether the job waits again, for whoever is free.
    pub(crate) fn is_given_back(&self) -> bool {
        self.state == "waiting"
    }

    fn is_only_completed(&self) -> bool {
        self.state == "completed" && self.progress.is_none()
    }

    pub(crate) const fn lease(&self) -> Lease {
        self.lease
    }
}

/// Writes what came of these runs, and gives the leases of which it could not be written yet, since another
/// transaction has the row (somebody cancels the job): one that lasts must not hold up all other jobs.
///
/// Nothing is written of a run whose lease was lost, or whose job was completed by its handler's own
/// transaction. A job that was asked to be cancelled and is not completed is cancelled, whatever its run says.
pub(crate) async fn settle(pool: &PgPool, settled: &[Settled]) -> Result<HashSet<Lease>, sqlx::Error> {
    let (completed, others): (Vec<&Settled>, Vec<&Settled>) =
        settled.iter().partition(|settled| settled.is_only_completed());
    let mut held = Vec::new();
    if !completed.is_empty() {
        held.extend(complete(pool, &completed).await?);
    }
    if !others.is_empty() {
        held.extend(write(pool, &others).await?);
    }
    Ok(held.into_iter().map(|(job, number)| Lease { job: JobId::from_uuid(job), number }).collect())
}

/// What both statements say of `settled`. Each row is looked up by its key, whatever Postgres believes of the
/// table: it would rather compare all that is settled with all that runs, of which it knows next to nothing.
macro_rules! settling {
    ($columns:literal, $source:literal, $written:literal) => {
        concat!(
            "with settled as materialized (select * from unnest(",
            $source,
            ") as settled (",
            $columns,
            ")), free as materialized (
                 select settled.* from settled cross join lateral (
                     select from jobs
                     where jobs.id = settled.id and jobs.lease = settled.lease and leased_by is not null
                     for update skip locked) as found
             ), written as (",
            $written,
            "), missing as materialized (
                 select id, lease from settled where id not in (select id from free)
             )
             select missing.id, missing.lease from missing cross join lateral (
                 select from jobs
                 where jobs.id = missing.id and jobs.lease = missing.lease and leased_by is not null
                 limit 1) as held"
        )
    };
}

/// Completes jobs of which there is no more to say: most of them.
async fn complete(pool: &PgPool, settled: &[&Settled]) -> Result<Vec<(Uuid, i64)>, sqlx::Error> {
    sqlx::query_as(settling!(
        "id, lease",
        "$1::uuid[], $2::bigint[]",
        "update jobs set state = 'completed', finished_at = clock_timestamp(), leased_by = null, leased_until = null
         where id = any(array(select id from free))"
    ))
    .bind(column(settled, |one| one.lease.job.uuid()))
    .bind(column(settled, |one| one.lease.number))
    .fetch_all(pool)
    .await
}

async fn write(pool: &PgPool, settled: &[&Settled]) -> Result<Vec<(Uuid, i64)>, sqlx::Error> {
    sqlx::query_as(settling!(
        "id, lease, state, delay, message, counts, progress",
        "$1::uuid[], $2::bigint[], $3::text[], $4::double precision[], $5::text[], $6::boolean[], $7::text[]",
        "update jobs
         set state = case when free.state <> 'completed' and jobs.cancel_requested_at is not null
                          then 'cancelled' else free.state end,
             finished_at = case when free.state in ('completed', 'cancelled', 'dead')
                                  or jobs.cancel_requested_at is not null then clock_timestamp() end,
             run_at = coalesce(clock_timestamp() + make_interval(secs => free.delay), jobs.run_at),
             attempt = jobs.attempt - case when free.counts then 0 else 1 end,
             errors = case when free.message is null then jobs.errors
                           else append_job_error(jobs.errors, jobs.attempt, free.message) end,
             progress = coalesce(free.progress::jsonb, jobs.progress),
             leased_by = null, leased_until = null
         from free where jobs.id = free.id"
    ))
    .bind(column(settled, |one| one.lease.job.uuid()))
    .bind(column(settled, |one| one.lease.number))
    .bind(column(settled, |one| one.state))
    .bind(column(settled, |one| one.delay))
    .bind(column(settled, |one| one.message.as_deref()))
    .bind(column(settled, |one| one.counts))
    .bind(column(settled, |one| {
        one.progress.as_ref().map(|progress| serde_json::json!(progress).to_string())
    }))
    .fetch_all(pool)
    .await
}

fn column<'s, T>(settled: &[&'s Settled], of: impl Fn(&'s Settled) -> T) -> Vec<T> {
    settled.iter().map(|one| of(one)).collect()
}
