//! The table `webhook_secrets`. What is sealed in it is read by who signs, and by no request.

use sqlx::PgConnection;
use tidewatch_events::ProjectId;
use tidewatch_events::id::WebhookId;
use time::OffsetDateTime;
use uuid::Uuid;

/// Writes the secret that signs from now on.
///
/// # Errors
/// Postgres refused or could not be reached, or the endpoint has one that has no end.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    endpoint: WebhookId,
    sealed: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into webhook_secrets (id, project_id, endpoint_id, sealed) values ($1, $2, $3, $4)")
        .bind(Uuid::now_v7())
        .bind(project.uuid())
        .bind(endpoint.uuid())
        .bind(sealed)
        .execute(connection)
        .await
        .map(drop)
}

/// Lets the secret that signs now end at a time, and says how many older ones sign yet.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn retire(
    connection: &mut PgConnection,
    project: ProjectId,
    endpoint: WebhookId,
    until: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    sqlx::query(
        "update webhook_secrets set expires_at = $3
         where project_id = $1 and endpoint_id = $2 and expires_at is null",
    )
    .bind(project.uuid())
    .bind(endpoint.uuid())
    .bind(until)
    .execute(&mut *connection)
    .await?;
    sqlx::query_scalar(
        "select count(*) from webhook_secrets where project_id = $1 and endpoint_id = $2 and expires_at > now()",
    )
    .bind(project.uuid())
    .bind(endpoint.uuid())
    .fetch_one(connection)
    .await
}

/// What signs now, sealed, the newest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn signing(
    connection: &mut PgConnection,
    endpoint: WebhookId,
) -> Result<Vec<Vec<u8>>, sqlx::Error> {
    sqlx::query_scalar(
        "select sealed from webhook_secrets
         where endpoint_id = $1 and (expires_at is null or expires_at > now())
         order by created_at desc",
    )
    .bind(endpoint.uuid())
    .fetch_all(connection)
    .await
}

/// Deletes the secrets that sign no longer, and says how many.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete_expired(connection: &mut PgConnection) -> Result<u64, sqlx::Error> {
    let done =
        sqlx::query("delete from webhook_secrets where expires_at <= now()").execute(connection).await?;
    Ok(done.rows_affected())
}
