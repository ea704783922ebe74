//! The table `sessions`.

use serde_json::Value;
use sqlx::PgPool;
use time::OffsetDateTime;
use uuid::Uuid;

/// Writes a new session; `false` when the digest is taken.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(
    pool: &PgPool,
    digest: &[u8],
    user: Option<Uuid>,
    data: &Value,
    expires_at: OffsetDateTime,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "insert into sessions (id, user_id, data, expires_at) values ($1, $2, $3, $4) on conflict do nothing",
    )
    .bind(digest)
    .bind(user)
    .bind(data)
    .bind(expires_at)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a session that exists. One that was deleted meanwhile stays deleted: a request that was
/// under way at logout must not bring it back.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn update(
    pool: &PgPool,
    digest: &[u8],
    user: Option<Uuid>,
    data: &Value,
    expires_at: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query("update sessions set user_id = $2, data = $3, expires_at = $4 where id = $1")
        .bind(digest)
        .bind(user)
        .bind(data)
        .bind(expires_at)
        .execute(pool)
        .await
        .map(drop)
}

/// A session that has not expired.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(pool: &PgPool, digest: &[u8]) -> Result<Option<(Value, OffsetDateTime)>, sqlx::Error> {
    sqlx::query_as("select data, expires_at from sessions where id = $1 and expires_at > now()")
        .bind(digest)
        .fetch_optional(pool)
        .await
}

/// Deletes a session.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete(pool: &PgPool, digest: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query("delete from sessions where id = $1").bind(digest).execute(pool).await.map(drop)
}

/// Deletes what has expired, and says how much that was.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete_expired(pool: &PgPool) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query("delete from sessions where expires_at < now()").execute(pool).await?.rows_affected())
}
