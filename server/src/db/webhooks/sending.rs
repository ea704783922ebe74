//! The table `webhook_deliveries`, as who sends them sees it: on connections of the owner, across projects.

use std::time::Duration;

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::WebhookDeliveryState;
use tidewatch_events::id::WebhookDeliveryId;
use time::OffsetDateTime;
use uuid::Uuid;

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
