//! Retention: finished jobs go after a while.

use std::time::Duration;

use sqlx::PgPool;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Rows that are deleted at once: few enough to hold nobody up.
const BATCH: i64 = 1_000;

/// How long finished jobs are kept.
#[derive(Debug, Clone, Copy)]
pub struct RetentionConfig {
    /// Completed and cancelled jobs that finished longer ago may go.
    pub keep: Duration,
    /// Dead ones that did: somebody was to look at them.
    pub keep_dead: Duration,
    /// How often to look.
    pub every: Duration,
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { keep: 7 * DAY, keep_dead: 90 * DAY, every: Duration::from_secs(60 * 60) }
    }
}

/// Deletes completed and cancelled jobs that finished before `cutoff`, and dead ones before `dead_cutoff`, and
/// says how many.
///
/// It looks by id: ids follow the time of enqueueing, so what lies above a cutoff is never read, and finished
/// jobs need no index of their own.
///
/// # Errors
/// Postgres could not be reached or refused; what was deleted by then stays so.
pub async fn delete_finished(
    pool: &PgPool,
    cutoff: OffsetDateTime,
    dead_cutoff: OffsetDateTime,
) -> Result<u64, sqlx::Error> {
    let end = first_id_of(cutoff.max(dead_cutoff));
    let mut after = Uuid::nil();
    let mut deleted = 0;
    loop {
        let (count, last): (i64, Option<Uuid>) = sqlx::query_as(
            "with gone as (
                 delete from jobs
                 where id = any(array(
                     select id from jobs
                     where id > $1 and id < $2
                       and (state in ('completed', 'cancelled') and finished_at < $3
                            or state = 'dead' and finished_at < $4)
                     order by id limit $5
                     for update skip locked))
                 returning id
             )
             select count(*), (select id from gone order by id desc limit 1) from gone",
        )
        .bind(after)
        .bind(end)
        .bind(cutoff)
        .bind(dead_cutoff)
        .bind(BATCH)
        .fetch_one(pool)
        .await?;
        deleted += count.unsigned_abs();
        match last {
            Some(last) if count == BATCH => after = last,
            _ => return Ok(deleted),
        }
    }
}

/// Looks after finished jobs until `shutdown`. Safe on several instances at once.
pub async fn run(pool: PgPool, config: RetentionConfig, shutdown: CancellationToken) {
    loop {
        let now = OffsetDateTime::now_utc();
        match delete_finished(&pool, now - config.keep, now - config.keep_dead).await {
            Ok(0) => {}
            Ok(jobs) => tracing::info!(jobs, "deleted finished jobs past their retention"),
            Err(error) => tracing::warn!(%error, "cannot delete finished jobs; will try again"),
        }
        tokio::select! {
            () = tokio::time::sleep(config.every) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// What no id is below that was made at `time` or later.
fn first_id_of(time: OffsetDateTime) -> Uuid {
    let milliseconds = u64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(0);
    uuid::Builder::from_unix_timestamp_millis(milliseconds, &[0; 10]).into_uuid()
}
