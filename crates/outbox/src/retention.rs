//! Retention: published events go by dropping the partitions of whole days.

use std::time::Duration;

use sqlx::PgPool;
use time::OffsetDateTime;
use tokio_util::sync::CancellationToken;

/// Days for which partitions are made ahead.
const DAYS_AHEAD: i32 = 7;
/// How long the maintenance may wait for a lock: writers queue up behind it meanwhile.
const LOCK_TIMEOUT: &str = "2s";

/// How long events are kept.
#[derive(Debug, Clone, Copy)]
pub struct RetentionConfig {
    /// Published events older than this may go. Unpublished ones never do.
    pub keep: Duration,
    /// How often to look.
    pub every: Duration,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        Self { keep: Duration::from_secs(7 * 24 * 60 * 60), every: Duration::from_secs(60 * 60) }
    }
}

/// Makes the partitions of the coming days.
///
/// # Errors
/// Postgres could not be reached or refused.
pub async fn ensure_partitions(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query("select ensure_event_partitions($1)").bind(DAYS_AHEAD).execute(pool).await.map(drop)
}

/// Drops the partitions all of whose events were published before `cutoff`, moves the oldest kept
/// position on, and names the partitions that went.
///
/// # Errors
/// Postgres could not be reached or refused, or a lock was not to be had in 2 s; then nothing
/// was dropped and the next run tries again.
pub async fn drop_partitions(pool: &PgPool, cutoff: OffsetDateTime) -> Result<Vec<String>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query("select set_config('lock_timeout', $1, true)").bind(LOCK_TIMEOUT).execute(&mut *transaction).await?;
    let dropped = sqlx::query_scalar("select drop_event_partitions($1)")
        .bind(cutoff)
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(dropped)
}

/// Looks after partitions until `shutdown`: makes those to come, drops those that went out of
/// date. Safe on several instances at once.
pub async fn run(pool: PgPool, config: RetentionConfig, shutdown: CancellationToken) {
    loop {
        let cutoff = OffsetDateTime::now_utc() - config.keep;
        match ensure_partitions(&pool).await {
            Ok(()) => {}
            Err(error) => tracing::warn!(%error, "cannot make the partitions of the coming days"),
        }
        match drop_partitions(&pool, cutoff).await {
            Ok(dropped) if dropped.is_empty() => {}
            Ok(dropped) => tracing::info!(?dropped, "dropped partitions past their retention"),
            Err(error) => tracing::warn!(%error, "cannot drop old partitions; will try again"),
        }
        tokio::select! {
            () = tokio::time::sleep(config.every) => {}
            () = shutdown.cancelled() => return,
        }
    }
}
