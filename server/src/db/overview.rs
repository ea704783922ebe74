//! The numbers of the first page: each counts what the subject may see, and nothing else.

use sqlx::PgConnection;
use tidewatch_events::Subject;
use time::OffsetDateTime;

use super::visibility::SubjectColumns;

/// How many settlements stand where.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_by_status(
    connection: &mut PgConnection,
    subject: &Subject,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_as(
        "select status, count(*) from settlements
         where project_id = $1 and visible_to('{settlements.read}', audience, $2, $3)
         group by status",
    )
    .bind(subject.project_id.uuid())
    .bind(held)
    .bind(names)
    .fetch_all(connection)
    .await
}

/// Events of one type since a time.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_events(
    connection: &mut PgConnection,
    subject: &Subject,
    event_type: &str,
    since: OffsetDateTime,
) -> Result<i64, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_scalar(
        "select count(*) from domain_events
         where project_id = $1 and occurred_at >= $3 and event_type = $2 and position is not null
           and visible_to(permissions, audience, $4, $5)",
    )
    .bind(subject.project_id.uuid())
    .bind(event_type)
    .bind(since)
    .bind(held)
    .bind(names)
    .fetch_one(connection)
    .await
}

/// What was settled since a time, in minor units by currency, largest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn volume_settled(
    connection: &mut PgConnection,
    subject: &Subject,
    since: OffsetDateTime,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_as(
        "select payload ->> 'currency' as currency, sum((payload ->> 'amountMinor')::bigint)::bigint as volume
         from domain_events
         where project_id = $1 and occurred_at >= $2 and event_type = 'settlement.settled' and position is not null
           and visible_to(permissions, audience, $3, $4)
           -- Whoever publishes an event of this type by themselves may leave out what ours have.
           and jsonb_typeof(payload -> 'currency') = 'string' and payload ->> 'amountMinor' ~ '^[0-9]{1,15}$'
         group by 1 order by 2 desc, 1",
    )
    .bind(subject.project_id.uuid())
    .bind(since)
    .bind(held)
    .bind(names)
    .fetch_all(connection)
    .await
}

/// Settlements that came to an end in each minute since a time; minutes without any are left out.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ended_per_minute(
    connection: &mut PgConnection,
    subject: &Subject,
    since: OffsetDateTime,
) -> Result<Vec<(OffsetDateTime, i64)>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_as(
        "select date_trunc('minute', occurred_at, 'UTC') as minute, count(*)
         from domain_events
         where project_id = $1 and occurred_at >= $2 and position is not null
           and event_type in ('settlement.settled', 'settlement.failed')
           and visible_to(permissions, audience, $3, $4)
         group by 1 order by 1",
    )
    .bind(subject.project_id.uuid())
    .bind(since)
    .bind(held)
    .bind(names)
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
