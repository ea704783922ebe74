//! The table `saved_views`: what somebody looks at often.

use sqlx::{FromRow, PgConnection};
use tidewatch_events::ProjectId;
use tidewatch_events::id::{SavedViewId, UserId};
use uuid::Uuid;

/// A saved view.
#[derive(Debug, Clone, FromRow)]
pub struct SavedViewRow {
    /// Which.
    pub id: Uuid,
    /// The page.
    pub path: String,
    /// What its address asks for.
    pub query: String,
    /// What it is called.
    pub name: String,
}

/// Somebody's views by page and name.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<Vec<SavedViewRow>, sqlx::Error> {
    sqlx::query_as(
        "select id, path, query, name from saved_views where project_id = $1 and user_id = $2 order by path, name",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .fetch_all(connection)
    .await
}

/// Saves a view; one of the same name on the same page becomes this one.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn save(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    view: &SavedViewRow,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into saved_views (id, project_id, user_id, path, query, name) values ($1, $2, $3, $4, $5, $6)
         on conflict (user_id, project_id, path, name) do update set query = excluded.query",
    )
    .bind(view.id)
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(&view.path)
    .bind(&view.query)
    .bind(&view.name)
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes a view of somebody's; `false`: they have none of this id.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete(
    connection: &mut PgConnection,
    user: UserId,
    id: SavedViewId,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("delete from saved_views where user_id = $1 and id = $2")
        .bind(user.uuid())
        .bind(id.uuid())
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
