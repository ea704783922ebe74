//! The numbers of the first page: each counts what the subject may see, and nothing else.

use sqlx::PgConnection;
use tidewatch_events::Subject;

use super::visibility::SubjectColumns;

/// How many settlements stand where. Counted as they change (`count_records` of the migrations): sums, and the changes that
/// are not in them yet.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_by_status(
    connection: &mut PgConnection,
    subject: &Subject,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_as(
        "select status, sum(count)::bigint
         from (select status, audience, count from record_counts where project_id = $1 and name = 'settlements'
               union all
               select status, audience, change from record_count_changes
               where project_id = $1 and name = 'settlements') every
         where visible_to('{settlements.read}', audience, $2, $3)
         group by status",
    )
    .bind(subject.project_id.uuid())
    .bind(held)
    .bind(names)
    .fetch_all(connection)
    .await
}

/// How long the oldest committed but unpublished event has been waiting, in milliseconds.
///
/// Since it was recorded, as its id says: `occurred_at` is what its publisher says, and may be days before.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn outbox_lag_ms(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "select max(publication_lag_ms(event_id, statement_timestamp())) from domain_events where position is null",
    )
    .fetch_one(connection)
    .await
}
