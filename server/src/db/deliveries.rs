//! The table `delivery_spans`: what was given to whom, and who has acknowledged what.

use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow, PgConnection, PgExecutor, PgPool};
use tidewatch_events::{EventId, Position, ProjectId};
use tidewatch_outbox::{EVENT_COLUMNS, PublishedRow};
use time::OffsetDateTime;
use uuid::Uuid;

use super::column;
use super::subscriptions::number;

/// Most spans that are looked at for one answer.
pub const MOST_SPANS: u32 = 5_000;

/// A part of a stream that somebody was given, or has acknowledged.
#[derive(Debug, Clone, PartialEq, FromRow)]
pub struct SpanRow {
    /// In which project.
    pub project_id: Uuid,
    /// The subscription; of an acknowledgement, an id of its own.
    pub id: Uuid,
    /// `given` or `acknowledged`.
    pub kind: String,
    /// Behind this position.
    pub after: i64,
    /// Up to this one.
    pub upto: i64,
    /// What was asked for: a [`tidewatch_events::EventFilter`].
    pub filter: Value,
    /// Who might see what: a [`tidewatch_events::Subject`].
    pub subject: Value,
    /// Whose it is.
    pub actor: String,
    /// What that one is called.
    pub actor_name: String,
    /// By which transport, or by which durable subscription.
    pub via: String,
    /// On which instance.
    pub instance: String,
    /// When the connection was opened, or the acknowledgement made.
    pub since: OffsetDateTime,
}

/// Writes spans; those that are known have grown.
///
/// # Errors
/// Postgres refused or could not be reached; then none is written.
pub async fn write(executor: impl PgExecutor<'_>, rows: &[SpanRow]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into delivery_spans as known
             (project_id, id, kind, after, upto, filter, subject, actor, actor_name, via, instance, since)
         select distinct on (project_id, id, after) * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::jsonb[], $7::jsonb[],
                              $8::text[], $9::text[], $10::text[], $11::text[], $12::timestamptz[])
              as span (project_id, id, kind, after, upto, filter, subject, actor, actor_name, via, instance, since)
         order by project_id, id, after, upto desc
         on conflict (project_id, id, after) do update set upto = greatest(known.upto, excluded.upto)",
    )
    .bind(column(rows, |row| row.project_id))
    .bind(column(rows, |row| row.id))
    .bind(column(rows, |row| row.kind.as_str()))
    .bind(column(rows, |row| row.after))
    .bind(column(rows, |row| row.upto))
    .bind(column(rows, |row| row.filter.clone()))
    .bind(column(rows, |row| row.subject.clone()))
    .bind(column(rows, |row| row.actor.as_str()))
    .bind(column(rows, |row| row.actor_name.as_str()))
    .bind(column(rows, |row| row.via.as_str()))
    .bind(column(rows, |row| row.instance.as_str()))
    .bind(column(rows, |row| row.since))
    .execute(executor)
    .await
    .map(drop)
}

/// Notes an acknowledgement, in the transaction that makes it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn acknowledge(connection: &mut PgConnection, row: &SpanRow) -> Result<(), sqlx::Error> {
    // Without the upsert of `write`: requests may not change what is there.
    sqlx::query(
        "insert into delivery_spans
             (project_id, id, kind, after, upto, filter, subject, actor, actor_name, via, instance, since)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(row.project_id)
    .bind(row.id)
    .bind(&row.kind)
    .bind(row.after)
    .bind(row.upto)
    .bind(&row.filter)
    .bind(&row.subject)
    .bind(&row.actor)
    .bind(&row.actor_name)
    .bind(&row.via)
    .bind(&row.instance)
    .bind(row.since)
    .execute(connection)
    .await
    .map(drop)
}

/// The spans that hold one of the positions between these two, the oldest first, at most [`MOST_SPANS`].
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn covering(
    connection: &mut PgConnection,
    project: ProjectId,
    positions: &[Position],
) -> Result<Vec<SpanRow>, sqlx::Error> {
    let positions: Vec<i64> = positions.iter().copied().map(number).collect();
    sqlx::query_as(
        "select distinct on (s.since, s.id, s.after) s.*
         from unnest($2::bigint[]) as wanted (position)
         join delivery_spans s on int8range(s.after, s.upto, '(]') @> wanted.position
         where s.project_id = $1
         order by s.since, s.id, s.after
         limit $3",
    )
    .bind(project.uuid())
    .bind(positions)
    .bind(i64::from(MOST_SPANS))
    .fetch_all(connection)
    .await
}

/// A published event with the time of that.
#[derive(FromRow)]
pub struct PublishedAt {
    /// The event.
    #[sqlx(flatten)]
    pub event: PublishedRow,
    /// When it was published.
    pub published_at: OffsetDateTime,
}

/// These events, as far as they are published, in the order of their positions.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn events(
    connection: &mut PgConnection,
    project: ProjectId,
    ids: &[EventId],
) -> Result<Vec<PublishedAt>, sqlx::Error> {
    let ids: Vec<Uuid> = ids.iter().map(|id| id.uuid()).collect();
    let query = format!(
        "select {EVENT_COLUMNS}, published_at from domain_events
         where project_id = $1 and event_id = any($2) and position is not null order by position"
    );
    sqlx::query_as(AssertSqlSafe(query)).bind(project.uuid()).bind(ids).fetch_all(connection).await
}

/// A webhook that was, or is to be, sent for an event.
#[derive(Debug, Clone, FromRow)]
pub struct WebhookRow {
    /// For which event.
    pub event_id: Uuid,
    /// To which endpoint.
    pub endpoint_id: Uuid,
    /// Where that is.
    pub url: String,
    /// The delivery.
    pub id: Uuid,
    /// `pending`, `delivered`, `failed` or `cancelled`.
    pub state: String,
    /// How often it was tried.
    pub attempts: i32,
    /// When it ended.
    pub finished_at: Option<OffsetDateTime>,
}

/// The webhooks of these events.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn webhooks_of(
    connection: &mut PgConnection,
    project: ProjectId,
    events: &[Uuid],
) -> Result<Vec<WebhookRow>, sqlx::Error> {
    sqlx::query_as(
        "select d.event_id, d.endpoint_id, e.url, d.id, d.state, d.attempts, d.finished_at
         from webhook_endpoints e
         join webhook_deliveries d on d.project_id = e.project_id and d.endpoint_id = e.id
         where e.project_id = $1 and d.event_id = any($2)
         order by d.id",
    )
    .bind(project.uuid())
    .bind(events)
    .fetch_all(connection)
    .await
}

/// Deletes what tells of events that are kept no longer; says how many rows.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete_expired(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "delete from delivery_spans s using project_streams p
         where p.project_id = s.project_id and s.upto < p.oldest_position",
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}
