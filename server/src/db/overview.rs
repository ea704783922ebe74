//! The numbers of the first page.

use sqlx::PgConnection;
use tidewatch_events::ProjectId;
use time::OffsetDateTime;

/// How many settlements stand where.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_by_status(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as("select status, count(*) from settlements where project_id = $1 group by status")
        .bind(project.uuid())
        .fetch_all(connection)
        .await
}

/// Events of one type since a time.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_events(
    connection: &mut PgConnection,
    project: ProjectId,
    event_type: &str,
    since: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select count(*) from domain_events
         where project_id = $1 and occurred_at >= $3 and event_type = $2 and position is not null",
    )
    .bind(project.uuid())
    .bind(event_type)
    .bind(since)
    .fetch_one(connection)
    .await
}

/// What was settled since a time, in minor units by currency, largest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn volume_settled(
    connection: &mut PgConnection,
    project: ProjectId,
    since: OffsetDateTime,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select payload ->> 'currency' as currency, sum((payload ->> 'amountMinor')::bigint)::bigint as volume
         from domain_events
         where project_id = $1 and occurred_at >= $2 and event_type = 'settlement.settled' and position is not null
         group by 1 order by 2 desc, 1",
    )
    .bind(project.uuid())
    .bind(since)
    .fetch_all(connection)
    .await
}

/// Settlements that came to an end in each minute since a time; minutes without any are left out.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ended_per_minute(
    connection: &mut PgConnection,
    project: ProjectId,
    since: OffsetDateTime,
) -> Result<Vec<(OffsetDateTime, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select date_trunc('minute', occurred_at, 'UTC') as minute, count(*)
         from domain_events
         where project_id = $1 and occurred_at >= $2 and position is not null
           and event_type in ('settlement.settled', 'settlement.failed')
         group by 1 order by 1",
    )
    .bind(project.uuid())
    .bind(since)
    .fetch_all(connection)
    .await
}

/// How long the oldest committed but unpublished event has been waiting, in milliseconds.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn outbox_lag_ms(connection: &mut PgConnection) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query_scalar(
        "select (extract(epoch from clock_timestamp() - min(occurred_at)) * 1000)::bigint
         from domain_events where position is null",
    )
    .fetch_one(connection)
    .await
}
