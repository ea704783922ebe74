//! The table `webhook_endpoints`: which are told, and which take what they are told.

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::DisabledReason;
use tidewatch_events::id::WebhookId;
use tidewatch_events::{Position, ProjectId};
use uuid::Uuid;

use crate::db::subscriptions::number;

/// Enables a disabled endpoint: it is told of what comes behind `starts_after`.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn enable(
    connection: &mut PgConnection,
    project: ProjectId,
    id: WebhookId,
    starts_after: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update webhook_endpoints
         set disabled_at = null, disabled_reason = null, failing_since = null, starts_after = $3
         where project_id = $1 and id = $2 and disabled_at is not null",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .bind(number(starts_after))
    .execute(connection)
    .await
    .map(drop)
}

/// Disables an endpoint; `false` when it was disabled before.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn disable(
    connection: &mut PgConnection,
    project: ProjectId,
    id: WebhookId,
    reason: DisabledReason,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "update webhook_endpoints set disabled_at = now(), disabled_reason = $3
         where project_id = $1 and id = $2 and disabled_at is null",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .bind(reason.as_str())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Notes that an endpoint took what it was sent.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn note_success(connection: &mut PgConnection, id: WebhookId) -> Result<(), sqlx::Error> {
    // Written when something changes, and not at each delivery.
    sqlx::query(
        "update webhook_endpoints set failing_since = null where id = $1 and failing_since is not null",
    )
    .bind(id.uuid())
    .execute(connection)
    .await
    .map(drop)
}

/// Notes that an endpoint did not take what it was sent, and says for how many seconds that has been so.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn note_failure(connection: &mut PgConnection, id: WebhookId) -> Result<f64, sqlx::Error> {
    sqlx::query("update webhook_endpoints set failing_since = now() where id = $1 and failing_since is null")
        .bind(id.uuid())
        .execute(&mut *connection)
        .await?;
    let seconds: Option<f64> = sqlx::query_scalar(
        "select extract(epoch from now() - failing_since)::double precision from webhook_endpoints where id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(seconds.unwrap_or_default())
}

/// An enabled endpoint, as the dispatcher needs it.
#[derive(Debug, FromRow)]
pub struct ListeningRow {
    /// Which.
    pub id: Uuid,
    /// Of which event types.
    pub types: Vec<String>,
    /// What it may see.
    pub permissions: Vec<String>,
    /// From where on.
    pub starts_after: i64,
}

/// The project's enabled endpoints.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn listening(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Vec<ListeningRow>, sqlx::Error> {
    sqlx::query_as(
        "select id, types, permissions, starts_after from webhook_endpoints
         where project_id = $1 and disabled_at is null",
    )
    .bind(project.uuid())
    .fetch_all(connection)
    .await
}
