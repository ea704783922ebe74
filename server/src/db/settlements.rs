//! What the overview asks of the table `settlements`.

use sqlx::PgConnection;
use tidewatch_events::Subject;
use tidewatch_events::id::SettlementId;
use tidewatch_modules::{Module, Record};
use time::OffsetDateTime;
use uuid::Uuid;

use super::records;
use super::visibility::SubjectColumns;

/// Settlements that need a person: failed, held, or open without a change since `stuck_since`;
/// the longest waiting first. Only those that the subject may see.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn needing_attention(
    connection: &mut PgConnection,
    module: &Module,
    subject: &Subject,
    stuck_since: OffsetDateTime,
    limit: u32,
) -> Result<Vec<Record>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    let rows = sqlx::query_scalar(
        "select to_jsonb(t) - '{search,audience}'::text[] from settlements t
         where project_id = $1 and (status in ('failed', 'held') or (status <> 'settled' and updated_at < $2))
           and visible_to('{settlements.read}', audience, $4, $5)
         order by updated_at, id limit $3",
    )
    .bind(subject.project_id.uuid())
    .bind(stuck_since)
    .bind(i64::from(limit))
    .bind(held)
    .bind(names)
    .fetch_all(connection)
    .await?;
    records::read_all(module, rows)
}

/// Those settlements of which an event is recorded and not yet published, as they stand. Only those
/// that the subject may see.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ahead_of_log(
    connection: &mut PgConnection,
    module: &Module,
    subject: &Subject,
    limit: u32,
) -> Result<Vec<Record>, sqlx::Error> {
    let project = subject.project_id.uuid();
    let names: Vec<String> = sqlx::query_scalar(
        "select distinct aggregate_id from domain_events
         where project_id = $1 and aggregate_type = $3 and position is null limit $2",
    )
    .bind(project)
    .bind(i64::from(limit))
    .bind(module.aggregate_type.as_str())
    .fetch_all(&mut *connection)
    .await?;
    let ids: Vec<Uuid> =
        names.iter().filter_map(|name| name.parse::<SettlementId>().ok()).map(|id| id.uuid()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let SubjectColumns { held, names } = subject.into();
    let rows = sqlx::query_scalar(
        "select to_jsonb(t) - '{search,audience}'::text[] from settlements t
         where project_id = $1 and id = any($2) and visible_to('{settlements.read}', audience, $3, $4)",
    )
    .bind(project)
    .bind(ids)
    .bind(held)
    .bind(names)
    .fetch_all(connection)
    .await?;
    records::read_all(module, rows)
}
