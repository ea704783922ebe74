//! The table `webhook_deliveries`.

use std::time::Duration;

use sqlx::{FromRow, PgConnection, PgPool};
use tidewatch_app::model::{ParseDeliveryStateError, WebhookDelivery, WebhookDeliveryState};
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};
use tidewatch_events::{EventId, EventType, Position, ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::subscriptions::number;

/// Deliveries that are deleted at once: few enough to hold nobody up.
const BATCH: i64 = 1_000;

/// An event that is to go to an endpoint.
#[derive(Debug, Clone)]
pub struct NewDelivery {
    /// Which delivery.
    pub id: WebhookDeliveryId,
    /// To which endpoint.
    pub endpoint: WebhookId,
    /// Which event.
    pub event: EventId,
    /// What happened.
    pub event_type: EventType,
    /// Its place; `None`: a test.
    pub position: Option<Position>,
}

/// Writes new deliveries, and gives the ids of those that are: an event that is on its way to an endpoint, or was,
/// is not again.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert_all(
    connection: &mut PgConnection,
    project: ProjectId,
    new: &[NewDelivery],
) -> Result<Vec<WebhookDeliveryId>, sqlx::Error> {
    fn column<'n, T>(new: &'n [NewDelivery], of: impl Fn(&'n NewDelivery) -> T) -> Vec<T> {
        new.iter().map(of).collect()
    }
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "insert into webhook_deliveries
             (id, project_id, endpoint_id, event_id, event_type, position, next_attempt_at)
         select id, $1, endpoint_id, event_id, event_type, position, clock_timestamp()
         from unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[])
              as new (id, endpoint_id, event_id, event_type, position)
         on conflict (endpoint_id, event_id) do nothing
         returning id",
    )
    .bind(project.uuid())
    .bind(column(new, |one| one.id.uuid()))
    .bind(column(new, |one| one.endpoint.uuid()))
    .bind(column(new, |one| one.event.uuid()))
    .bind(column(new, |one| one.event_type.as_str()))
    .bind(column(new, |one| one.position.map(number)))
    .fetch_all(connection)
    .await?;
    Ok(ids.into_iter().map(WebhookDeliveryId::from_uuid).collect())
}

#[derive(FromRow)]
struct DeliveryRow {
    id: Uuid,
    endpoint_id: Uuid,
    event_id: Uuid,
    event_type: String,
    position: Option<i64>,
    state: String,
    attempts: i32,
    next_attempt_at: Option<OffsetDateTime>,
    last_status: Option<i32>,
    last_error: Option<String>,
    created_at: OffsetDateTime,
    finished_at: Option<OffsetDateTime>,
}

impl TryFrom<DeliveryRow> for WebhookDelivery {
    type Error = sqlx::Error;

    fn try_from(row: DeliveryRow) -> Result<Self, sqlx::Error> {
        let state = row.state.parse();
        Ok(Self {
            id: WebhookDeliveryId::from_uuid(row.id),
            webhook_id: WebhookId::from_uuid(row.endpoint_id),
            event_id: EventId::from_uuid(row.event_id),
            event_type: row.event_type,
            position: row.position.and_then(|position| Position::new(u64::try_from(position).ok()?)),
            state: state.map_err(|error: ParseDeliveryStateError| sqlx::Error::Decode(error.into()))?,
            attempt_count: row.attempts.unsigned_abs(),
            next_attempt_at: row.next_attempt_at.map(Timestamp::from),
            last_status: row.last_status.and_then(|status| u16::try_from(status).ok()),
            last_error: row.last_error,
            created_at: Timestamp::from(row.created_at),
            finished_at: row.finished_at.map(Timestamp::from),
        })
    }
}

/// At most `limit` of an endpoint's deliveries in this state, newest first, behind the one that is `after`.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
    endpoint: WebhookId,
    state: Option<WebhookDeliveryState>,
    after: Option<WebhookDeliveryId>,
    limit: u32,
) -> Result<Vec<WebhookDelivery>, sqlx::Error> {
    let rows: Vec<DeliveryRow> = sqlx::query_as(
        "select id, endpoint_id, event_id, event_type, position, state, attempts, next_attempt_at, last_status,
                last_error, created_at, finished_at
         from webhook_deliveries
         where project_id = $1 and endpoint_id = $2 and ($3::text is null or state = $3)
           and ($4::uuid is null or id < $4)
         order by id desc limit $5",
    )
    .bind(project.uuid())
    .bind(endpoint.uuid())
    .bind(state.map(WebhookDeliveryState::as_str))
    .bind(after.map(WebhookDeliveryId::uuid))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

/// One delivery of an endpoint.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(
    connection: &mut PgConnection,
    project: ProjectId,
    endpoint: WebhookId,
    id: WebhookDeliveryId,
) -> Result<Option<WebhookDelivery>, sqlx::Error> {
    let row: Option<DeliveryRow> = sqlx::query_as(
        "select id, endpoint_id, event_id, event_type, position, state, attempts, next_attempt_at, last_status,
                last_error, created_at, finished_at
         from webhook_deliveries where project_id = $1 and endpoint_id = $2 and id = $3",
    )
    .bind(project.uuid())
    .bind(endpoint.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    row.map(TryInto::try_into).transpose()
}

/// Has a delivery sent again, by a round of its own, which it says.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn begin_round(
    connection: &mut PgConnection,
    project: ProjectId,
    id: WebhookDeliveryId,
) -> Result<i32, sqlx::Error> {
    sqlx::query_scalar(
        "update webhook_deliveries
         set state = 'pending', round = round + 1, tries = 0, next_attempt_at = clock_timestamp(),
             finished_at = null
         where project_id = $1 and id = $2
         returning round",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .fetch_one(connection)
    .await
}

/// Calls off everything that is on its way to an endpoint, and says how much that was. What is being written by who
/// has just sent it is left out, so that nobody waits for anybody: it is called off when it would be sent again.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn cancel_pending(
    connection: &mut PgConnection,
    project: ProjectId,
    endpoint: WebhookId,
    why: &str,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "update webhook_deliveries
         set state = 'cancelled', last_error = $3, next_attempt_at = null, finished_at = clock_timestamp()
         where id = any(array(
             select id from webhook_deliveries
             where project_id = $1 and endpoint_id = $2 and state = 'pending'
             for no key update skip locked))",
    )
    .bind(project.uuid())
    .bind(endpoint.uuid())
    .bind(why)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}

/// A delivery with its endpoint, as who sends it needs them.
#[derive(Debug, FromRow)]
pub struct WorkRow {
    /// Whose.
    pub project_id: Uuid,
    /// To which endpoint.
    pub endpoint_id: Uuid,
    /// Which event.
    pub event_id: Uuid,
    /// Whether it is a test, which is in no stream.
    pub is_test: bool,
    /// Whether it is to be sent at all.
    pub is_pending: bool,
    /// Which round of sending it is in.
    pub round: i32,
    /// Since when it is on its way.
    pub created_at: OffsetDateTime,
    /// Where it goes.
    pub url: String,
    /// What the endpoint may see.
    pub permissions: Vec<String>,
    /// Whether the endpoint is told.
    pub is_enabled: bool,
}

/// A delivery, whosever it is; `None` when it or its endpoint was deleted.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_work(
    connection: &mut PgConnection,
    id: WebhookDeliveryId,
) -> Result<Option<WorkRow>, sqlx::Error> {
    sqlx::query_as(
        "select d.project_id, d.endpoint_id, d.event_id, d.position is null as is_test,
                d.state = 'pending' as is_pending, d.round, d.created_at, e.url, e.permissions,
                e.disabled_at is null as is_enabled
         from webhook_deliveries d join webhook_endpoints e on e.id = d.endpoint_id
         where d.id = $1",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, FromRow)]
pub struct ProgressRow {
    /// Whether it is to be sent at all.
    pub is_pending: bool,
    /// How often it was sent.
    pub attempts: i32,
    /// Which round of sending it is in.
    pub round: i32,
    /// How often it was sent in this round.
    pub tries: i32,
}

/// How far a delivery is, locked until the transaction ends.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock_progress(
    connection: &mut PgConnection,
    id: WebhookDeliveryId,
) -> Result<Option<ProgressRow>, sqlx::Error> {
    sqlx::query_as(
        "select state = 'pending' as is_pending, attempts, round, tries from webhook_deliveries
         where id = $1 for no key update",
    )
    .bind(id.uuid())
    .fetch_optional(connection)
    .await
}

/// What comes next for a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// It is sent again after so long.
    Again(Duration),
    /// It has come to an end in this state.
    Ended(WebhookDeliveryState),
    /// Nothing changes: somebody has called it off or begun a new round.
    AsItIs,
}

/// Writes what an attempt came to.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn note_attempt(
    connection: &mut PgConnection,
    id: WebhookDeliveryId,
    status: Option<u16>,
    error: Option<&str>,
    next: Next,
) -> Result<(), sqlx::Error> {
    let (state, delay) = match next {
        Next::Again(delay) => (Some(WebhookDeliveryState::Pending), Some(delay.as_secs_f64())),
        Next::Ended(state) => (Some(state), None),
        Next::AsItIs => (None, None),
    };
    sqlx::query(
        "update webhook_deliveries
         set attempts = attempts + 1, last_status = $2,
             tries = tries + case when $4::text is null then 0 else 1 end,
             last_error = case when $4::text is null then last_error else left($3, 2000) end,
             state = coalesce($4, state),
             next_attempt_at = case when $4::text is null then next_attempt_at
                                    else clock_timestamp() + make_interval(secs => $5) end,
             finished_at = case when $4::text is null then finished_at
                                when $4 <> 'pending' then clock_timestamp() end
         where id = $1",
    )
    .bind(id.uuid())
    .bind(status.map(i32::from))
    .bind(error)
    .bind(state.map(WebhookDeliveryState::as_str))
    .bind(delay)
    .execute(connection)
    .await
    .map(drop)
}

/// Ends a delivery that is pending without sending it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn end(
    connection: &mut PgConnection,
    id: WebhookDeliveryId,
    state: WebhookDeliveryState,
    why: &str,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update webhook_deliveries
         set state = $2, last_error = left($3, 2000), next_attempt_at = null, finished_at = clock_timestamp()
         where id = $1 and state = 'pending'",
    )
    .bind(id.uuid())
    .bind(state.as_str())
    .bind(why)
    .execute(connection)
    .await
    .map(drop)
}

/// Ends deliveries that were due an hour ago and have no job any more: somebody called it off, or it died. Says how
/// many.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn fail_stranded(pool: &PgPool, kind: &str, queue: &str) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "update webhook_deliveries d
         set state = 'failed', last_error = 'its job was called off or given up', next_attempt_at = null,
             finished_at = clock_timestamp()
         where d.state = 'pending' and d.next_attempt_at < clock_timestamp() - interval '1 hour'
           and not exists (
               select from jobs j
               where j.queue = $1 and j.kind = $2 and j.project_id = d.project_id
                 and j.unique_key = 'whd_' || crockford(d.id)
                                    || case when d.round = 0 then '' else ':' || d.round end
                 and j.state in ('scheduled', 'waiting', 'running'))",
    )
    .bind(queue)
    .bind(kind)
    .execute(pool)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes deliveries that began and ended before `cutoff`, with their attempts, and says how many.
///
/// # Errors
/// Postgres refused or could not be reached; what was deleted by then stays so.
pub async fn delete_finished(pool: &PgPool, cutoff: OffsetDateTime) -> Result<u64, sqlx::Error> {
    // Ids follow the time, so what lies above is never read, and the end needs no index of its own.
    let millis = u64::try_from(Timestamp::from(cutoff).unix_millis()).unwrap_or_default();
    let end = uuid::Builder::from_unix_timestamp_millis(millis, &[0; 10]).into_uuid();
    let mut deleted = 0;
    loop {
        let done = sqlx::query(
            "delete from webhook_deliveries
             where id = any(array(
                 select id from webhook_deliveries
                 where id < $1 and finished_at < $2 order by id limit $3
                 for update skip locked))",
        )
        .bind(end)
        .bind(cutoff)
        .bind(BATCH)
        .execute(pool)
        .await?;
        deleted += done.rows_affected();
        if done.rows_affected() < BATCH.unsigned_abs() {
            return Ok(deleted);
        }
    }
}
