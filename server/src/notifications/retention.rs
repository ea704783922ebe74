//! Retention: messages go after 90 days, with their receipts, but for those that wait to be acknowledged. And what should have been told to others long ago is: a
//! job that was called off by mistake, or given up while Postgres was away, is made again.

use std::time::Duration;

use sqlx::PgPool;
use tidewatch_events::ProjectId;
use tidewatch_events::id::NotificationId;
use tidewatch_jobs::enqueue_all;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::db::notifications::messages;
use crate::error::Error;
use crate::jobs::escalate;

/// How long messages are kept.
pub const KEEP: time::Duration = time::Duration::days(90);
/// How late a step of an escalation has to be for its job to be made again.
const LATE: time::Duration = time::Duration::minutes(5);
/// How often to look.
const EVERY: Duration = Duration::from_secs(10 * 60);

/// Deletes messages from before `cutoff` with their receipts, unless they wait to be acknowledged, and makes the jobs of steps again that should have been
/// taken before `due`. Says how many were deleted and made.
///
/// # Errors
/// Postgres refused or could not be reached; what was done by then stays so.
pub async fn tidy(pool: &PgPool, cutoff: OffsetDateTime, due: OffsetDateTime) -> Result<(u64, usize), Error> {
    let deleted = messages::delete_older(pool, cutoff).await?;
    let mut connection = pool.acquire().await?;
    let late = messages::late(&mut connection, due).await?;
    let jobs = late
        .into_iter()
        .map(|row| {
            let (project, message) =
                (ProjectId::from_uuid(row.project_id), NotificationId::from_uuid(row.id));
            escalate::new_job(project, message, row.step.unsigned_abs() + 1, Duration::ZERO)
        })
        .collect::<Result<Vec<_>, _>>()?;
    // Of those whose job waits yet nothing comes: its key is the same.
    let made =
        enqueue_all(&mut connection, &jobs).await.map_err(|error| Error::Internal(error.to_string()))?;
    Ok((deleted, made.into_iter().filter(|job| job.is_new()).count()))
}

/// Tidies up until `shutdown`. Safe on several instances at once.
pub async fn run(pool: PgPool, shutdown: CancellationToken) {
    loop {
        let now = OffsetDateTime::now_utc();
        match tidy(&pool, now - KEEP, now - LATE).await {
            Ok((0, 0)) => {}
            Ok((deleted, late)) => tracing::info!(deleted, late, "tidied up notifications"),
            Err(error) => tracing::warn!(%error, "cannot tidy up notifications; will try again"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
