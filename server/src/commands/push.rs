//! Browsers are told of one's notifications, or no longer.

use serde_json::{Value, json};
use tidewatch_events::id::UserId;
use tidewatch_webhooks::MAX_URL_LEN;
use url::Url;
use uuid::Uuid;

use super::Origin;
use super::audit::{Change, note};
use crate::access::Caller;
use crate::db;
use crate::db::push_subscriptions::PushSubscription;
use crate::error::Error;
use crate::notifications::outside::push::{Keys, KeysError};
use crate::state::AppState;

/// Most browsers of a person in a project: the oldest gives way.
pub const MAX_BROWSERS: i64 = 20;
/// Fewest bytes of a push service's URL, as the table has it.
const MIN_URL_LEN: usize = 10;

/// A browser, as it says itself how it is reached.
pub struct Browser {
    /// Its push service's URL for it.
    pub endpoint: String,
    /// Its public key.
    pub p256dh: String,
    /// What it shares.
    pub auth: String,
}

/// Has a browser told from now on. Said again, it has other keys. `login`: that in which it is said, with whose end it
/// is told no more: a session's ([`crate::access::login::push_login`]), or an API login.
///
/// # Errors
/// 403 for an API key, 409 where this server pushes nothing, 422 for an endpoint or keys that will not do.
pub async fn subscribe(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    browser: Browser,
    login: Option<Uuid>,
) -> Result<(), Error> {
    let user = caller.recipient()?;
    let pusher = state.outside.pusher.as_ref().ok_or_else(|| {
        Error::Refused("this server sends nothing by Web Push: it is not set up for that".to_owned())
    })?;
    check_endpoint(&browser.endpoint)?;
    pusher.check(&browser.endpoint).map_err(|refusal| Error::field("endpoint", refusal))?;
    Keys::read(&browser.p256dh, &browser.auth).map_err(|error| {
        Error::field(
            match error {
                KeysError::PublicKey => "keys/p256dh",
                KeysError::Auth => "keys/auth",
            },
            error,
        )
    })?;
    let plain = |key: &str| key.trim_end_matches('=').to_owned();
    let new = PushSubscription {
        id: Uuid::now_v7(),
        endpoint: browser.endpoint,
        p256dh: plain(&browser.p256dh),
        auth: plain(&browser.auth),
    };
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    if db::push_subscriptions::save(&mut transaction, project, user, &new, login, MAX_BROWSERS).await? {
        let after = Some(described(user, &new.endpoint));
        let change = change(caller, user, "push_subscription.create", None, after);
        note(&mut transaction, caller, origin, change).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Has a browser told no longer. One that is not known is told nothing as it is.
///
/// # Errors
/// 403 for an API key, 422 for what can be no endpoint.
pub async fn unsubscribe(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    endpoint: &str,
) -> Result<(), Error> {
    let user = caller.recipient()?;
    check_endpoint(endpoint)?;
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    if db::push_subscriptions::delete_by_endpoint(&mut transaction, project, user, endpoint).await? {
        let before = Some(described(user, endpoint));
        let change = change(caller, user, "push_subscription.delete", before, None);
        note(&mut transaction, caller, origin, change).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// Whether a browser is told of the caller's notifications in this project: it may have been another person's since, or
/// signed out.
///
/// # Errors
/// 403 for an API key, 422 for what can be no endpoint.
pub async fn is_subscribed(state: &AppState, caller: &Caller, endpoint: &str) -> Result<bool, Error> {
    let user = caller.recipient()?;
    check_endpoint(endpoint)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    Ok(db::push_subscriptions::is_known(&mut snapshot, caller.project(), user, endpoint).await?)
}

/// What can be kept as an endpoint: the guard reads URLs as browsers do, which is more than that.
fn check_endpoint(endpoint: &str) -> Result<(), Error> {
    let is_long_enough = (MIN_URL_LEN..=MAX_URL_LEN).contains(&endpoint.len());
    if is_long_enough && !endpoint.chars().any(char::is_control) {
        return Ok(());
    }
    let wrong = format!("must have {MIN_URL_LEN} to {MAX_URL_LEN} bytes, and no control characters");
    Err(Error::field("endpoint", wrong))
}

fn change<'a>(
    caller: &'a Caller,
    user: UserId,
    action: &'a str,
    before: Option<Value>,
    after: Option<Value>,
) -> Change<'a> {
    Change { action, target: user.to_string(), target_name: &caller.name, before, after }
}

/// Whose browser it is and at which push service. Who knows the whole endpoint can reach the browser.
fn described(user: UserId, endpoint: &str) -> Value {
    let url = Url::parse(endpoint).ok();
    json!({ "userId": user, "pushService": url.as_ref().and_then(Url::host_str) })
}
