//! Retention: deliveries go after 30 days.

use std::time::Duration;

use sqlx::PgPool;
use tidewatch_jobs::JobPayload;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

use crate::db::webhooks::{expired, secrets};
use crate::jobs::deliver_webhook::{DeliverWebhook, QUEUE};

/// How long deliveries are kept.
pub const KEEP: time::Duration = time::Duration::days(30);
/// How often to look.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// Deletes what began and ended before `cutoff`, and secrets that sign no longer; ends deliveries that have no job
/// any more. Says how many deliveries were deleted.
///
/// # Errors
/// Postgres refused or could not be reached; what was done by then stays so.
pub async fn tidy(pool: &PgPool, cutoff: OffsetDateTime) -> Result<u64, sqlx::Error> {
    secrets::delete_expired(&mut *pool.acquire().await?).await?;
    let stranded = expired::fail_stranded(pool, DeliverWebhook::KIND, QUEUE).await?;
    if stranded > 0 {
        tracing::warn!(stranded, "webhooks had no job any more and have failed");
    }
    expired::delete_finished(pool, cutoff).await
}

/// Tidies up until `shutdown`. Safe on several instances at once.
pub async fn run(pool: PgPool, shutdown: CancellationToken) {
    loop {
        match tidy(&pool, OffsetDateTime::now_utc() - KEEP).await {
            Ok(0) => {}
            Ok(deleted) => tracing::info!(deleted, "deleted webhooks past their retention"),
            Err(error) => tracing::warn!(%error, "cannot delete old webhooks; will try again"),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
