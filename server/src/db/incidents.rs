//! What others ask of the table `incidents`.

use sqlx::PgConnection;
use tidewatch_events::ProjectId;
use tidewatch_events::id::RecordId;
use uuid::Uuid;

/// The incidents about a record that are not resolved, oldest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn unresolved_of(
    connection: &mut PgConnection,
    project: ProjectId,
    source: &RecordId,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar(
        "select id from incidents where project_id = $1 and source = $2 and status <> 'resolved'
         order by created_at, id",
    )
    .bind(project.uuid())
    .bind(source.to_string())
    .fetch_all(connection)
    .await
}
