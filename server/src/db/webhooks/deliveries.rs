//! The table `webhook_deliveries`, as requests and the dispatcher see it.

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::{ParseDeliveryStateError, WebhookDelivery, WebhookDeliveryState};
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};
use tidewatch_events::{EventId, EventType, Position, ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::column;
use crate::db::subscriptions::number;

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
