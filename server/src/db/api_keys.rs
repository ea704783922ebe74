//! The table `api_keys`.

use sqlx::{FromRow, PgConnection};
use tidewatch_events::ProjectId;
use tidewatch_events::id::ApiKeyId;
use uuid::Uuid;

/// A key that is alive. Its digest stays in the database.
#[derive(Debug, Clone, FromRow)]
pub struct LiveKey {
    /// Which key.
    pub id: Uuid,
    /// Whose.
    pub project_id: Uuid,
    /// What it may.
    pub scopes: Vec<String>,
}

/// The key with this digest, when it is neither revoked nor expired. Notes that it was used, to
/// the minute.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn use_by_digest(
    connection: &mut PgConnection,
    digest: &[u8],
) -> Result<Option<LiveKey>, sqlx::Error> {
    // A key in use is written once a minute, not at each request.
    sqlx::query_as(
        "with found as (
             select id, project_id, scopes, last_used_at from api_keys
             where digest = $1 and revoked_at is null and (expires_at is null or expires_at > now())
         ), used as (
             update api_keys set last_used_at = now()
             where id in (select id from found where last_used_at is null or last_used_at < now() - interval '1 minute')
         )
         select id, project_id, scopes from found",
    )
    .bind(digest)
    .fetch_optional(connection)
    .await
}

/// Writes a new key.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    name: &str,
    digest: &[u8],
    scopes: &[&str],
) -> Result<ApiKeyId, sqlx::Error> {
    let id = Uuid::now_v7();
    sqlx::query("insert into api_keys (id, project_id, name, digest, scopes) values ($1, $2, $3, $4, $5)")
        .bind(id)
        .bind(project.uuid())
        .bind(name)
        .bind(digest)
        .bind(scopes)
        .execute(connection)
        .await?;
    Ok(ApiKeyId::from_uuid(id))
}

/// Revokes every live key of this name in the project, and says how many there were.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn revoke_by_name(
    connection: &mut PgConnection,
    project: ProjectId,
    name: &str,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "update api_keys set revoked_at = now() where project_id = $1 and name = $2 and revoked_at is null",
    )
    .bind(project.uuid())
    .bind(name)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
