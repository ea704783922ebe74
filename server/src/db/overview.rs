//! The numbers of the first page: each counts what the subject may see, and nothing else.

use sqlx::PgConnection;
use tidewatch_events::Subject;
use tidewatch_modules::Module;

use super::column;
use super::visibility::SubjectColumns;

/// How many records of a module stand somewhere.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Counted {
    /// The module.
    pub name: String,
    /// Where they stand.
    pub status: String,
    /// How many do.
    pub count: i64,
}

/// How many records stand where, of those modules that are counted as they change (`count_records` of the migrations) and
/// that the subject may look into: sums, and the changes that are not in them yet.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_by_status(
    connection: &mut PgConnection,
    subject: &Subject,
    modules: &[&Module],
) -> Result<Vec<Counted>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_as(
        "select name, status, sum(count)::bigint as count
         from (select name, status, audience, count from record_counts where project_id = $1
               union all
               select name, status, audience, change from record_count_changes where project_id = $1) every
         join unnest($4::text[], $5::text[]) as module (name, read) using (name)
         where visible_to(array[read], audience, $2, $3)
         group by name, status",
    )
    .bind(subject.project_id.uuid())
    .bind(held)
    .bind(names)
    .bind(column(modules, |module| module.name.to_string()))
    .bind(column(modules, |module| module.read.to_string()))
    .fetch_all(connection)
    .await
}

/// How many records of a module stand where that the subject may see, as the log says up to the snapshot's position: what
/// is committed and not yet published is taken back, so that whoever goes on by events counts nothing twice. The module is
/// one of those that are counted as they change.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_as_of_log(
    connection: &mut PgConnection,
    subject: &Subject,
    module: &Module,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_as(
        "with ahead as materialized (
             select aggregate_version, payload ->> 'status' as status, payload ->> 'fromStatus' as from_status
             from domain_events
             where project_id = $1 and aggregate_type = $6 and position is null
               and visible_to(permissions, audience, $2, $3))
         select status, sum(count)::bigint
         from (select status, count from record_counts
               where project_id = $1 and name = $4 and visible_to(array[$5], audience, $2, $3)
               union all
               select status, change from record_count_changes
               where project_id = $1 and name = $4 and visible_to(array[$5], audience, $2, $3)
               union all
               select status, -1 from ahead where aggregate_version = 1 or from_status is not null
               union all
               select from_status, 1 from ahead where aggregate_version > 1 and from_status is not null) every
         group by status",
    )
    .bind(subject.project_id.uuid())
    .bind(held)
    .bind(names)
    .bind(&*module.name)
    .bind(module.read.as_str())
    .bind(module.aggregate_type.as_str())
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
