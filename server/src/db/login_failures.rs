//! The table `login_failures`.

use sqlx::PgPool;
use tidewatch_outbox::begin_whole;
use time::{Duration, OffsetDateTime};

use crate::access::throttle::FORGET_AFTER;

/// Until when any of these keys is blocked.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn blocked_until(
    pool: &PgPool,
    keys: Vec<[u8; 32]>,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    sqlx::query_scalar("select max(blocked_until) from login_failures where key = any($1)")
        .bind(keys)
        .fetch_one(pool)
        .await
}

/// Counts a failure, and blocks the key for as long as `delay` says of their number.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count(
    pool: &PgPool,
    key: [u8; 32],
    delay: impl FnOnce(i32) -> Duration,
) -> Result<(), sqlx::Error> {
    let now = OffsetDateTime::now_utc();
    let mut transaction = begin_whole(pool, "begin").await?;
    let failures: i32 = sqlx::query_scalar(
        "insert into login_failures as old (key, failures, last_at, blocked_until) values ($1, 1, $2, $2)
         on conflict (key) do update set last_at = $2,
             failures = case when old.last_at < $3 then 1 else least(old.failures, 1000000) + 1 end
         returning failures",
    )
    .bind(key)
    .bind(now)
    .bind(now - FORGET_AFTER)
    .fetch_one(&mut *transaction)
    .await?;
    sqlx::query("update login_failures set blocked_until = $2 where key = $1")
        .bind(key)
        .bind(now + delay(failures))
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// Forgets the failures of a key.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn forget(pool: &PgPool, key: [u8; 32]) -> Result<(), sqlx::Error> {
    sqlx::query("delete from login_failures where key = $1").bind(key).execute(pool).await.map(drop)
}

/// Forgets all failures that are old.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn forget_old(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query("delete from login_failures where last_at < $1")
        .bind(OffsetDateTime::now_utc() - FORGET_AFTER)
        .execute(pool)
        .await
        .map(drop)
}
