//! The table `webhook_cursors`: how far each project's stream was looked through for its endpoints. A project has
//! a row as long as it has an enabled one.

use sqlx::PgConnection;
use tidewatch_events::{Position, ProjectId};
use uuid::Uuid;

use crate::db::subscriptions::number;

/// Makes the project's cursor at `head`, where it has none, and keeps it as it is until the transaction ends: what
/// was not looked through before this is looked through with the endpoint that this transaction makes.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ensure(
    connection: &mut PgConnection,
    project: ProjectId,
    head: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into webhook_cursors as cursor (project_id, position) values ($1, $2)
         on conflict (project_id) do update set position = cursor.position",
    )
    .bind(project.uuid())
    .bind(number(head))
    .execute(connection)
    .await
    .map(drop)
}

/// Every project that has a cursor, and whether something was published behind it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<(ProjectId, bool)>, sqlx::Error> {
    let rows: Vec<(Uuid, bool)> = sqlx::query_as(
        "select c.project_id, coalesce(s.last_position > c.position, false)
         from webhook_cursors c left join project_streams s using (project_id)",
    )
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(|(project, behind)| (ProjectId::from_uuid(project), behind)).collect())
}

/// The project's cursor, locked until the transaction ends; `None` when it has none, or somebody else has it
/// locked, who does what there is to do.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Option<Position>, sqlx::Error> {
    let position: Option<i64> = sqlx::query_scalar(
        "select position from webhook_cursors where project_id = $1 for update skip locked",
    )
    .bind(project.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(position.map(|position| u64::try_from(position).ok().and_then(Position::new).unwrap_or_default()))
}

/// Moves the project's cursor on.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn advance(
    connection: &mut PgConnection,
    project: ProjectId,
    to: Position,
) -> Result<(), sqlx::Error> {
    sqlx::query("update webhook_cursors set position = $2 where project_id = $1")
        .bind(project.uuid())
        .bind(number(to))
        .execute(connection)
        .await
        .map(drop)
}

/// Drops the project's cursor: it has no enabled endpoint.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete(connection: &mut PgConnection, project: ProjectId) -> Result<(), sqlx::Error> {
    sqlx::query("delete from webhook_cursors where project_id = $1")
        .bind(project.uuid())
        .execute(connection)
        .await
        .map(drop)
}
