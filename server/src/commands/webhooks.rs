//! Webhooks: endpoints are made, changed, enabled, disabled and deleted, and their secrets rotated.
//!
//! An endpoint sees what whoever makes it lets it see, and nobody gives what they do not hold: neither to a new
//! endpoint, nor by sending what another one sees somewhere else.

pub mod check;
pub mod deliver;

use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::PgConnection;
use tidewatch_app::model::{Changed, DisabledReason, NewWebhook, Webhook, WebhookPatch};
use tidewatch_events::id::WebhookId;
use tidewatch_events::{Permission, Position, ProjectId};
use tidewatch_outbox::read_head;
use tidewatch_webhooks::SigningSecret;
use time::{Duration, OffsetDateTime};

pub use deliver::{resend, send_test};

use super::Origin;
use super::audit::{Change, note};
use super::people::may_give;
use crate::access::Caller;
use crate::access::credential::subject_of_webhook;
use crate::db;
use crate::db::cursors::WEBHOOKS;
use crate::db::webhooks::endpoints::EndpointColumns;
use crate::db::webhooks::{deliveries, endpoints, listening, secrets};
use crate::error::Error;
use crate::queries::webhooks::find;
use crate::state::AppState;

/// Most endpoints of a project.
pub const MAX_WEBHOOKS: i64 = 50;
/// Longest time for which the secret before a rotation signs beside the new one, in hours.
pub const MAX_OVERLAP_HOURS: u32 = 7 * 24;
/// Most secrets that sign at one time.
const MAX_SECRETS: i64 = 5;
/// What is said of a secret that is shown.
const SHOWN_ONCE: &str = "Copy the secret now: it is not shown again.";

/// Makes an endpoint, which is told of what happens from now on.
///
/// # Errors
/// 403 without `webhooks.manage`, or when it would see more than the caller may; 409 when there are too many; 422.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    new: NewWebhook,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::WEBHOOKS_MANAGE)?;
    let url = check::url(state, &new.url)?;
    let description = check::description(&new.description)?;
    let types = check::types(new.types)?;
    let permissions = match new.permissions {
        Some(permissions) => check::permissions(permissions)?,
        None => {
            let held = state.modules.reading().filter(|permission| caller.may(permission));
            held.map(|held| held.to_string()).collect()
        }
    };
    may_see(caller, &permissions)?;
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    if endpoints::count_alone(&mut transaction, project).await? >= MAX_WEBHOOKS {
        return Err(Error::Refused(format!("there are {MAX_WEBHOOKS} webhooks already, which is the most")));
    }
    let starts_after = join_stream(&mut transaction, project).await?;
    let columns = EndpointColumns { url: &url, description, types: &types, permissions: &permissions };
    let id = endpoints::insert(&mut transaction, project, &columns, starts_after, &caller.name).await?;
    let secret = state.webhooks.make_secret(&mut transaction, project, id).await?;
    let after = find(&mut transaction, project, id).await?;
    let change = change("webhook.create", &after, None, Some(&after));
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    state.webhooks.alarm.changed.notify_one();
    Ok(with_secret(id, format!("{url} is told from now on. {SHOWN_ONCE}"), &secret))
}

/// Changes an endpoint. Disabled, what was on its way to it is called off; enabled again, it is told of what happens
/// from then on.
///
/// # Errors
/// 403 without `webhooks.manage`, or when it would see more than the caller may; 404, 422.
pub async fn update(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: WebhookId,
    patch: WebhookPatch,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::WEBHOOKS_MANAGE)?;
    if patch == WebhookPatch::default() {
        return Err(Error::field("", "must say url, description, types, permissions or enabled"));
    }
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let before = lock(&mut transaction, project, id).await?;
    let opens = patch.url.is_some() || patch.permissions.is_some() || patch.enabled == Some(true);
    let url = patch.url.map_or_else(|| Ok(before.url.clone()), |url| check::url(state, &url))?;
    let description = patch.description.unwrap_or_else(|| before.description.clone());
    let types = patch.types.map_or_else(|| Ok(before.types.clone()), check::types)?;
    let permissions = patch.permissions.map_or_else(|| Ok(before.permissions.clone()), check::permissions)?;
    if opens {
        may_see(caller, &permissions)?;
    }
    let columns = EndpointColumns {
        url: &url,
        description: check::description(&description)?,
        types: &types,
        permissions: &permissions,
    };
    endpoints::update(&mut transaction, project, id, &columns).await?;
    match patch.enabled {
        Some(true) if !before.enabled => {
            let starts_after = join_stream(&mut transaction, project).await?;
            listening::enable(&mut transaction, project, id, starts_after).await?;
        }
        Some(false) if before.enabled => {
            listening::disable(&mut transaction, project, id, DisabledReason::Person).await?;
            deliveries::cancel_pending(&mut transaction, project, id, "the endpoint was disabled").await?;
        }
        _ => {}
    }
    let after = find(&mut transaction, project, id).await?;
    let (action, message) = match (before.enabled, after.enabled) {
        (false, true) => ("webhook.enable", format!("{url} is told again, of what happens from now on.")),
        (true, false) => ("webhook.disable", format!("{url} is told no longer.")),
        _ => ("webhook.update", format!("{url} is changed.")),
    };
    note(&mut transaction, caller, origin, change(action, &after, Some(&before), Some(&after))).await?;
    transaction.commit().await?;
    state.webhooks.alarm.changed.notify_one();
    Ok(Changed { id: id.to_string(), message, secret: None })
}

/// Enables or disables an endpoint; see [`update`].
///
/// # Errors
/// As those of [`update`].
pub async fn set_enabled(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: WebhookId,
    enabled: bool,
) -> Result<Changed, Error> {
    let patch = WebhookPatch { enabled: Some(enabled), ..WebhookPatch::default() };
    update(state, caller, origin, id, patch).await
}

/// Makes the secret by which an endpoint's webhooks are signed from now on; the one before signs beside it until the
/// overlap is over.
///
/// # Errors
/// 403 without `webhooks.manage`, 404, 409 when too many sign already, 422 for too many hours.
pub async fn rotate_secret(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: WebhookId,
    overlap_hours: u32,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::WEBHOOKS_MANAGE)?;
    if overlap_hours > MAX_OVERLAP_HOURS {
        return Err(Error::field("overlapHours", format!("must be 0 to {MAX_OVERLAP_HOURS}")));
    }
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let before = lock(&mut transaction, project, id).await?;
    let until = OffsetDateTime::now_utc() + Duration::hours(overlap_hours.into());
    if secrets::retire(&mut transaction, project, id, until).await? >= MAX_SECRETS {
        return Err(Error::Refused(format!(
            "{MAX_SECRETS} secrets sign already; wait until the overlap of one is over"
        )));
    }
    let secret = state.webhooks.make_secret(&mut transaction, project, id).await?;
    let after = find(&mut transaction, project, id).await?;
    let change = change("webhook.rotate_secret", &after, Some(&before), Some(&after));
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    let message = match overlap_hours {
        0 => format!("The old secret signs no longer. {SHOWN_ONCE}"),
        hours => format!("The old secret signs for {hours} hours yet. {SHOWN_ONCE}"),
    };
    Ok(with_secret(id, message, &secret))
}

/// Deletes an endpoint with all that is known of it.
///
/// # Errors
/// 403 without `webhooks.manage`, 404.
pub async fn delete(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: WebhookId,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::WEBHOOKS_MANAGE)?;
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let before = find(&mut transaction, project, id).await?;
    endpoints::delete(&mut transaction, project, id).await?;
    note(&mut transaction, caller, origin, change("webhook.delete", &before, Some(&before), None)).await?;
    transaction.commit().await?;
    Ok(Changed { id: id.to_string(), message: format!("{} is deleted.", before.url), secret: None })
}

/// The project's dispatcher goes on from here at the latest, and the endpoint that this transaction makes or enables
/// is told of what is published behind it.
async fn join_stream(connection: &mut PgConnection, project: ProjectId) -> Result<Position, sqlx::Error> {
    let head = read_head(connection, project).await?.last;
    WEBHOOKS.ensure(connection, project, head).await?;
    Ok(head)
}

/// An endpoint of the project, which stays as it is until the transaction ends.
async fn lock(connection: &mut PgConnection, project: ProjectId, id: WebhookId) -> Result<Webhook, Error> {
    endpoints::lock(connection, project, id).await?;
    find(connection, project, id).await
}

/// Goes on only when the caller may see what an endpoint of these permissions may.
fn may_see(caller: &Caller, permissions: &[String]) -> Result<(), Error> {
    may_give(caller, &subject_of_webhook(caller.project(), permissions).permissions)
}

fn with_secret(id: WebhookId, message: String, secret: &SigningSecret) -> Changed {
    Changed { id: id.to_string(), message, secret: Some(secret.reveal().expose_secret().to_owned()) }
}

/// An entry for the audit log. The model holds no secret.
fn change<'a>(
    action: &'a str,
    webhook: &'a Webhook,
    before: Option<&Webhook>,
    after: Option<&Webhook>,
) -> Change<'a> {
    Change {
        action,
        target: webhook.id.to_string(),
        target_name: &webhook.url,
        before: before.map(|before| json!(before)),
        after: after.map(|after| json!(after)),
    }
}
