//! The table `webhook_endpoints`.

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::{DisabledReason, Webhook};
use tidewatch_events::id::WebhookId;
use tidewatch_events::{Position, ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::subscriptions::number;

#[derive(FromRow)]
struct WebhookRow {
    id: Uuid,
    url: String,
    description: String,
    types: Vec<String>,
    permissions: Vec<String>,
    failing_since: Option<OffsetDateTime>,
    disabled_at: Option<OffsetDateTime>,
    disabled_reason: Option<String>,
    old_secret_until: Option<OffsetDateTime>,
    pending: i64,
    created_by: String,
    created_at: OffsetDateTime,
}

impl From<WebhookRow> for Webhook {
    fn from(row: WebhookRow) -> Self {
        Self {
            id: WebhookId::from_uuid(row.id),
            url: row.url,
            description: row.description,
            types: row.types,
            permissions: row.permissions,
            enabled: row.disabled_at.is_none(),
            disabled_at: row.disabled_at.map(Timestamp::from),
            disabled_reason: row.disabled_reason.as_deref().and_then(DisabledReason::read),
            failing_since: row.failing_since.map(Timestamp::from),
            old_secret_until: row.old_secret_until.map(Timestamp::from),
            pending: row.pending.unsigned_abs(),
            created_by: row.created_by,
            created_at: Timestamp::from(row.created_at),
        }
    }
}

/// The project's endpoints, the oldest first; with `only`, that one alone.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
    only: Option<WebhookId>,
) -> Result<Vec<Webhook>, sqlx::Error> {
    let rows: Vec<WebhookRow> = sqlx::query_as(
        "select id, url, description, types, permissions, failing_since, disabled_at, disabled_reason, created_by,
                created_at,
                (select max(expires_at) from webhook_secrets s where s.endpoint_id = e.id and s.expires_at > now())
                    as old_secret_until,
                (select count(*) from webhook_deliveries d where d.endpoint_id = e.id and d.state = 'pending')
                    as pending
         from webhook_endpoints e
         where project_id = $1 and ($2::uuid is null or id = $2)
         order by created_at, id",
    )
    .bind(project.uuid())
    .bind(only.map(WebhookId::uuid))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// How many endpoints the project has. Others who would add one wait until the transaction ends.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_alone(connection: &mut PgConnection, project: ProjectId) -> Result<i64, sqlx::Error> {
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("webhooks {project}"))
        .execute(&mut *connection)
        .await?;
    sqlx::query_scalar("select count(*) from webhook_endpoints where project_id = $1")
        .bind(project.uuid())
        .fetch_one(connection)
        .await
}

/// An endpoint's row is locked until the transaction ends: what is read of it then holds. `false` when there is
/// none.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock(
    connection: &mut PgConnection,
    project: ProjectId,
    id: WebhookId,
) -> Result<bool, sqlx::Error> {
    let found: Option<Uuid> = sqlx::query_scalar(
        "select id from webhook_endpoints where project_id = $1 and id = $2 for no key update",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(found.is_some())
}

/// Keeps an endpoint from being deleted until the transaction ends; `false` when it was.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn hold(connection: &mut PgConnection, id: WebhookId) -> Result<bool, sqlx::Error> {
    let found: Option<Uuid> =
        sqlx::query_scalar("select id from webhook_endpoints where id = $1 for key share")
            .bind(id.uuid())
            .fetch_optional(connection)
            .await?;
    Ok(found.is_some())
}

/// What is written of an endpoint.
#[derive(Debug)]
pub struct EndpointColumns<'a> {
    /// Where it is told.
    pub url: &'a str,
    /// What it is for.
    pub description: &'a str,
    /// Of which event types.
    pub types: &'a [String],
    /// What it may see.
    pub permissions: &'a [String],
}

/// Writes a new endpoint, which is told of what comes behind `starts_after`.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    new: &EndpointColumns<'_>,
    starts_after: Position,
    created_by: &str,
) -> Result<WebhookId, sqlx::Error> {
    let id = Uuid::now_v7();
    sqlx::query(
        "insert into webhook_endpoints
             (id, project_id, url, description, types, permissions, starts_after, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, left($8, 320))",
    )
    .bind(id)
    .bind(project.uuid())
    .bind(new.url)
    .bind(new.description)
    .bind(new.types)
    .bind(new.permissions)
    .bind(number(starts_after))
    .bind(created_by)
    .execute(connection)
    .await?;
    Ok(WebhookId::from_uuid(id))
}

/// Writes what was changed of an endpoint.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn update(
    connection: &mut PgConnection,
    project: ProjectId,
    id: WebhookId,
    columns: &EndpointColumns<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update webhook_endpoints set url = $3, description = $4, types = $5, permissions = $6
         where project_id = $1 and id = $2",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .bind(columns.url)
    .bind(columns.description)
    .bind(columns.types)
    .bind(columns.permissions)
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes an endpoint with all that is known of it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete(
    connection: &mut PgConnection,
    project: ProjectId,
    id: WebhookId,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from webhook_endpoints where project_id = $1 and id = $2")
        .bind(project.uuid())
        .bind(id.uuid())
        .execute(connection)
        .await
        .map(drop)
}
