//! Jobs that move many records, and what became of them.

use sqlx::{FromRow, PgConnection};
use uuid::Uuid;

/// Most jobs of one look.
const BATCH: i64 = 1_000;

/// A job that was called off or given up.
#[derive(Debug, Clone, FromRow)]
pub struct EndedJob {
    /// Which.
    pub id: Uuid,
    /// Of which project.
    pub project_id: Uuid,
    /// The id of the automation that tells how far it came.
    pub automation: String,
    /// Whether somebody called it off.
    pub called_off: bool,
    /// What its last attempt failed of.
    pub error: Option<String>,
}

/// The jobs that ended without being done, the newest first, at most 1,000.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ended(connection: &mut PgConnection) -> Result<Vec<EndedJob>, sqlx::Error> {
    sqlx::query_as(
        "select id, project_id, payload ->> 'automation' as automation,
                cancel_requested_at is not null as called_off, errors -> -1 ->> 'message' as error
         from jobs
         where kind = 'records.bulk_move' and state in ('cancelled', 'dead') and project_id is not null
         order by finished_at desc limit $1",
    )
    .bind(BATCH)
    .fetch_all(connection)
    .await
}

/// Those of these automations that still say that they go on.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn going_on(connection: &mut PgConnection, automations: &[Uuid]) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar("select id from automations where id = any($1) and status = 'started'")
        .bind(automations)
        .fetch_all(connection)
        .await
}
