//! The table `roles`: roles of a project's own.

use sqlx::{FromRow, PgConnection};
use tidewatch_events::ProjectId;

/// A role of a project's own.
#[derive(Debug, Clone, FromRow)]
pub struct RoleRow {
    /// Its name.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What it allows.
    pub permissions: Vec<String>,
    /// Whether it reaches through the project.
    pub project_wide: bool,
}

/// The project's own roles by name.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(connection: &mut PgConnection, project: ProjectId) -> Result<Vec<RoleRow>, sqlx::Error> {
    sqlx::query_as(
        "select name, title, permissions, project_wide from roles where project_id = $1 order by name",
    )
    .bind(project.uuid())
    .fetch_all(connection)
    .await
}

/// How many people of the project have each role.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_members(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as("select role, count(*) from member_roles where project_id = $1 group by role")
        .bind(project.uuid())
        .fetch_all(connection)
        .await
}

/// Writes a role, new or anew.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn save(
    connection: &mut PgConnection,
    project: ProjectId,
    role: &RoleRow,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into roles (project_id, name, title, permissions, project_wide) values ($1, $2, $3, $4, $5)
         on conflict (project_id, name) do update
             set title = excluded.title, permissions = excluded.permissions, project_wide = excluded.project_wide",
    )
    .bind(project.uuid())
    .bind(&role.name)
    .bind(&role.title)
    .bind(&role.permissions)
    .bind(role.project_wide)
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes a role.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete(
    connection: &mut PgConnection,
    project: ProjectId,
    name: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query("delete from roles where project_id = $1 and name = $2")
        .bind(project.uuid())
        .bind(name)
        .execute(connection)
        .await
        .map(drop)
}
