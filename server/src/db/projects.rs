//! The table `projects`.

use sqlx::PgConnection;
use tidewatch_events::ProjectId;
use tidewatch_events::id::UserId;
use uuid::Uuid;

/// Makes the project, or finds the one that has this slug.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ensure(connection: &mut PgConnection, slug: &str, name: &str) -> Result<ProjectId, sqlx::Error> {
    let id: Uuid = sqlx::query_scalar(
        "insert into projects (id, slug, name) values ($1, $2, $3)
         on conflict (slug) do update set slug = excluded.slug returning id",
    )
    .bind(Uuid::now_v7())
    .bind(slug)
    .bind(name)
    .fetch_one(&mut *connection)
    .await?;
    // Its stream begins with it, so that the very first reader has a position to start from.
    sqlx::query("insert into project_streams (project_id) values ($1) on conflict do nothing")
        .bind(id)
        .execute(connection)
        .await?;
    Ok(ProjectId::from_uuid(id))
}

/// The project with this slug.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_by_slug(
    connection: &mut PgConnection,
    slug: &str,
) -> Result<Option<ProjectId>, sqlx::Error> {
    let id: Option<Uuid> = sqlx::query_scalar("select id from projects where slug = $1")
        .bind(slug)
        .fetch_optional(connection)
        .await?;
    Ok(id.map(ProjectId::from_uuid))
}

/// What a project is called.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct ProjectNames {
    /// What it is called in URLs.
    pub slug: String,
    /// What it is called.
    pub name: String,
}

/// The projects that a person is a member of, in the order in which they joined.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn of_user(connection: &mut PgConnection, user: UserId) -> Result<Vec<ProjectNames>, sqlx::Error> {
    sqlx::query_as(
        "select p.slug, p.name from memberships m join projects p on p.id = m.project_id
         where m.user_id = $1 and m.disabled_at is null order by m.created_at, p.id",
    )
    .bind(user.uuid())
    .fetch_all(connection)
    .await
}

/// Calls the project something else, and says what it was called.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn rename(
    connection: &mut PgConnection,
    project: ProjectId,
    name: &str,
) -> Result<String, sqlx::Error> {
    sqlx::query_scalar(
        "update projects p set name = $2 from (select id, name from projects where id = $1 for update) old
         where p.id = old.id returning old.name",
    )
    .bind(project.uuid())
    .bind(name)
    .fetch_one(connection)
    .await
}

/// The project's names.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Option<ProjectNames>, sqlx::Error> {
    sqlx::query_as("select slug, name from projects where id = $1")
        .bind(project.uuid())
        .fetch_optional(connection)
        .await
}

/// All projects by name.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(connection: &mut PgConnection) -> Result<Vec<ProjectNames>, sqlx::Error> {
    sqlx::query_as("select slug, name from projects order by slug").fetch_all(connection).await
}
