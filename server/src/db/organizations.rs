//! The tables `organizations` and `organization_members`.

use sqlx::{FromRow, PgConnection};
use tidewatch_events::ProjectId;
use tidewatch_events::id::OrganizationId;
use uuid::Uuid;

/// A customer inside a project.
#[derive(Debug, Clone, FromRow)]
pub struct Organization {
    /// Which.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// How many people belong to it.
    pub members: i64,
}

/// Whether the project has this organization.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn exists(
    connection: &mut PgConnection,
    project: ProjectId,
    id: OrganizationId,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select exists (select from organizations where project_id = $1 and id = $2)")
        .bind(project.uuid())
        .bind(id.uuid())
        .fetch_one(connection)
        .await
}

/// What an organization of the project is called.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_name(
    connection: &mut PgConnection,
    project: ProjectId,
    id: OrganizationId,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar("select name from organizations where project_id = $1 and id = $2")
        .bind(project.uuid())
        .bind(id.uuid())
        .fetch_optional(connection)
        .await
}

/// The project's organizations by name.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Vec<Organization>, sqlx::Error> {
    sqlx::query_as(
        "select o.id, o.name,
                (select count(*) from organization_members m where m.organization_id = o.id) as members
         from organizations o where o.project_id = $1 order by lower(o.name)",
    )
    .bind(project.uuid())
    .fetch_all(connection)
    .await
}

/// Writes a new organization; `None` when the project has one of this name.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    name: &str,
) -> Result<Option<OrganizationId>, sqlx::Error> {
    let id: Option<Uuid> = sqlx::query_scalar(
        "insert into organizations (id, project_id, name) values ($1, $2, $3)
         on conflict do nothing returning id",
    )
    .bind(Uuid::now_v7())
    .bind(project.uuid())
    .bind(name)
    .fetch_optional(connection)
    .await?;
    Ok(id.map(OrganizationId::from_uuid))
}

/// Calls an organization something else, and says what it was called; `None` when the project has no
/// such organization.
///
/// # Errors
/// Postgres refused (another one has the name) or could not be reached.
pub async fn rename(
    connection: &mut PgConnection,
    project: ProjectId,
    id: OrganizationId,
    name: &str,
) -> Result<Option<String>, sqlx::Error> {
    sqlx::query_scalar(
        "update organizations o set name = $3
         from (select id, name from organizations where project_id = $1 and id = $2 for update) old
         where o.id = old.id returning old.name",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .bind(name)
    .fetch_optional(connection)
    .await
}
