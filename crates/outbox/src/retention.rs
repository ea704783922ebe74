//! Retention: published events go by dropping the partitions of whole days.

use std::time::Duration;

use sqlx::{PgPool, Postgres, Transaction};
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
/// Postgres could not be reached or refused, or a lock was not to be had in 2 s; then nothing
/// was made and the next run tries again. Events of a day without a partition are recorded all the
/// same, into the default one.
pub async fn ensure_partitions(pool: &PgPool) -> Result<(), sqlx::Error> {
    let mut transaction = begin(pool).await?;
    sqlx::query("select ensure_event_partitions($1)").bind(DAYS_AHEAD).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Drops the partitions all of whose events were published before `cutoff`, oldest first, moves
/// the oldest kept position on, and names the partitions that went.
///
/// # Errors
/// Postgres could not be reached or refused, or a lock was not to be had in 2 s; then the
/// partitions that had not gone by then stay, and the next run tries again.
pub async fn drop_partitions(pool: &PgPool, cutoff: OffsetDateTime) -> Result<Vec<String>, sqlx::Error> {
    let mut dropped = Vec::new();
    loop {
        let mut transaction = begin(pool).await?;
        let partition: Option<String> = sqlx::query_scalar("select drop_event_partition($1)")
            .bind(cutoff)
            .fetch_one(&mut *transaction)
            .await?;
        transaction.commit().await?;
        match partition {
            Some(partition) => dropped.push(partition),
            None => return Ok(dropped),
        }
    }
}

async fn begin(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    sqlx::query("select set_config('lock_timeout', $1, true)")
        .bind(LOCK_TIMEOUT)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction)
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
