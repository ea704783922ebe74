//! The table `webhook_deliveries`: what went out of date.

use sqlx::PgPool;
use tidewatch_events::Timestamp;
use time::OffsetDateTime;

/// Deliveries that are deleted at once: few enough to hold nobody up.
const BATCH: i64 = 1_000;

/// Ends deliveries that were due an hour ago and have no job any more: somebody called it off, or it died. Says how
/// many.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn fail_stranded(pool: &PgPool, kind: &str, queue: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "update webhook_deliveries d
         set state = 'failed', last_error = 'its job was called off or given up', next_attempt_at = null,
             finished_at = clock_timestamp()
         where d.state = 'pending' and d.next_attempt_at < clock_timestamp() - interval '1 hour'
           and not exists (
               select from jobs j
               where j.queue = $1 and j.kind = $2 and j.project_id = d.project_id
                 and j.unique_key = 'whd_' || crockford(d.id)
                                    || case when d.round = 0 then '' else ':' || d.round end
                 and j.state in ('scheduled', 'waiting', 'running'))",
    )
    .bind(queue)
    .bind(kind)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes deliveries that began and ended before `cutoff`, with their attempts, and says how many.
///
/// # Errors
/// Postgres refused or could not be reached; what was deleted by then stays so.
pub async fn delete_finished(pool: &PgPool, cutoff: OffsetDateTime) -> Result<u64, sqlx::Error> {
    // Ids follow the time, so what lies above is never read, and the end needs no index of its own.
    let millis = u64::try_from(Timestamp::from(cutoff).unix_millis()).unwrap_or_default();
    let end = uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
    let mut deleted = 0;
    loop {
        let done = sqlx::query(
            "delete from webhook_deliveries
             where id = any(array(
                 select id from webhook_deliveries
                 where id < $1 and finished_at < $2 order by id limit $3
                 for update skip locked))",
        )
        .bind(end)
        .bind(cutoff)
        .bind(BATCH)
        .execute(pool)
        .await?;
        deleted += done.rows_affected();
        if done.rows_affected() < BATCH.unsigned_abs() {
            return Ok(deleted);
        }
    }
}
