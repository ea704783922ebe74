//! Webhooks that somebody has sent: a test, or once more what was sent before.

use serde_json::json;
use tidewatch_app::model::{Changed, Webhook};
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};
use tidewatch_events::{EventId, Permission};
use tidewatch_jobs::enqueue;
use uuid::Uuid;

use crate::access::Caller;
use crate::commands::Origin;
use crate::commands::audit::{Change, note};
use crate::db;
use crate::db::webhooks::deliveries::{self, NewDelivery};
use crate::error::Error;
use crate::jobs::deliver_webhook::new_job;
use crate::queries::webhooks::find;
use crate::state::AppState;
use crate::webhooks::body::TEST_EVENT;

/// Sends an event to an endpoint that nothing but it hears of. The id in the answer is the delivery's.
///
/// # Errors
/// 403 without `webhooks.manage`, 404, 409 when the endpoint is disabled.
pub async fn send_test(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: WebhookId,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::WEBHOOKS_MANAGE)?;
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let webhook = find(&mut transaction, project, id).await?;
    listening(&webhook)?;
    let new = NewDelivery {
        id: WebhookDeliveryId::from_uuid(Uuid::now_v7()),
        endpoint: id,
        event: EventId::from_uuid(Uuid::now_v7()),
        event_type: TEST_EVENT,
        position: None,
    };
    deliveries::insert_all(&mut transaction, project, std::slice::from_ref(&new)).await?;
    enqueue(&mut transaction, new_job(project, new.id, 0)?)
        .await
        .map_err(|error| Error::Internal(error.to_string()))?;
    let change = change("webhook.test", &webhook, new.id);
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    state.jobs.wake_workers();
    Ok(Changed {
        id: new.id.to_string(),
        message: format!("A test is on its way to {}.", webhook.url),
        secret: None,
    })
}

/// Sends an event to an endpoint once more, under the same `webhook-id`, and again on the schedule where it is not
/// taken.
///
/// # Errors
/// 403 without `webhooks.manage`, 404, 409 when the endpoint is disabled or the event is no longer kept.
pub async fn resend(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: WebhookId,
    delivery: WebhookDeliveryId,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::WEBHOOKS_MANAGE)?;
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let webhook = find(&mut transaction, project, id).await?;
    let known = deliveries::find(&mut transaction, project, id, delivery)
        .await?
        .ok_or_else(|| Error::NotFound(format!("delivery {delivery} of webhook {id}")))?;
    listening(&webhook)?;
    if known.position.is_some() && state.log.find(project, known.event_id).await?.is_none() {
        return Err(Error::Refused(format!("the event {} is no longer kept", known.event_id)));
    }
    let round = deliveries::begin_round(&mut transaction, project, delivery).await?;
    enqueue(&mut transaction, new_job(project, delivery, round)?)
        .await
        .map_err(|error| Error::Internal(error.to_string()))?;
    note(&mut transaction, caller, origin, change("webhook.resend", &webhook, delivery)).await?;
    transaction.commit().await?;
    state.jobs.wake_workers();
    let message = format!("{} is on its way to {} again.", known.event_type, webhook.url);
    Ok(Changed { id: delivery.to_string(), message, secret: None })
}

fn listening(webhook: &Webhook) -> Result<(), Error> {
    if webhook.enabled {
        Ok(())
    } else {
        Err(Error::Refused(format!("{} is disabled; enable it first", webhook.url)))
    }
}

fn change<'a>(action: &'a str, webhook: &'a Webhook, delivery: WebhookDeliveryId) -> Change<'a> {
    Change {
        action,
        target: webhook.id.to_string(),
        target_name: &webhook.url,
        before: None,
        after: Some(json!({ "deliveryId": delivery })),
    }
}
