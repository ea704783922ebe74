//! What callers can ask about webhooks. All of it needs `webhooks.manage`.

use sqlx::PgConnection;
use tidewatch_app::model::{Webhook, WebhookDeliveries, WebhookDeliveryDetail, WebhookDeliveryState};
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};
use tidewatch_events::{Permission, ProjectId};

use super::cut_page;
use crate::access::Caller;
use crate::db;
use crate::db::webhooks::{attempts, deliveries, endpoints};
use crate::error::Error;
use crate::state::AppState;

/// The project's endpoints, the oldest first.
///
/// # Errors
/// 403 without `webhooks.manage`.
pub async fn webhooks(state: &AppState, caller: &Caller) -> Result<Vec<Webhook>, Error> {
    caller.require_manager(&Permission::WEBHOOKS_MANAGE)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    Ok(endpoints::list(&mut snapshot, caller.project(), None).await?)
}

/// One endpoint.
///
/// # Errors
/// 403 without `webhooks.manage`, 404.
pub async fn webhook(state: &AppState, caller: &Caller, id: WebhookId) -> Result<Webhook, Error> {
    caller.require_manager(&Permission::WEBHOOKS_MANAGE)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    find(&mut snapshot, caller.project(), id).await
}

/// A page of what is and was on its way to an endpoint, newest first; with `only`, of what is in that state.
///
/// # Errors
/// 403 without `webhooks.manage`, 404.
pub async fn deliveries(
    state: &AppState,
    caller: &Caller,
    id: WebhookId,
    only: Option<WebhookDeliveryState>,
    after: Option<WebhookDeliveryId>,
    limit: u32,
) -> Result<WebhookDeliveries, Error> {
    caller.require_manager(&Permission::WEBHOOKS_MANAGE)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    find(&mut snapshot, caller.project(), id).await?;
    // One more than the page tells whether there is a following one.
    let mut deliveries =
        deliveries::list(&mut snapshot, caller.project(), id, only, after, limit + 1).await?;
    let next = cut_page(&mut deliveries, limit, |last| last.id);
    Ok(WebhookDeliveries { deliveries, next })
}

/// One delivery of an endpoint, with each time that it was sent.
///
/// # Errors
/// 403 without `webhooks.manage`, 404.
pub async fn delivery(
    state: &AppState,
    caller: &Caller,
    id: WebhookId,
    delivery: WebhookDeliveryId,
) -> Result<WebhookDeliveryDetail, Error> {
    caller.require_manager(&Permission::WEBHOOKS_MANAGE)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let found = deliveries::find(&mut snapshot, caller.project(), id, delivery)
        .await?
        .ok_or_else(|| Error::NotFound(format!("delivery {delivery} of webhook {id}")))?;
    let attempts = attempts::list(&mut snapshot, caller.project(), delivery).await?;
    Ok(WebhookDeliveryDetail { delivery: found, attempts })
}

/// An endpoint of the project.
///
/// # Errors
/// 404.
pub async fn find(
    connection: &mut PgConnection,
    project: ProjectId,
    id: WebhookId,
) -> Result<Webhook, Error> {
    endpoints::list(connection, project, Some(id))
        .await?
        .pop()
        .ok_or_else(|| Error::NotFound(format!("webhook {id}")))
}
