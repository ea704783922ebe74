//! The table `projects`.

use sqlx::PgConnection;
use tidewatch_events::ProjectId;
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
