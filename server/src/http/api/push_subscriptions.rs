//! `/api/v1/notifications/push-…`: browsers that want notifications by Web Push.

use axum::extract::State;
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use crate::access::{Caller, login};
use crate::commands::push::{self, Browser};
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::state::AppState;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/notifications/push-key", get(read_key))
        .route("/api/v1/notifications/push-subscriptions", post(subscribe).delete(unsubscribe))
        .route("/api/v1/notifications/push-subscriptions/check", post(check))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct KeyJson {
    /// For `applicationServerKey`; null: this server pushes nothing.
    key: Option<String>,
}

async fn read_key(State(state): State<AppState>, _: Caller) -> Json<KeyJson> {
    Json(KeyJson { key: state.outside.push_key().map(ToOwned::to_owned) })
}

/// As browsers write it (`PushSubscription.toJSON()`).
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SubscriptionJson {
    endpoint: String,
    /// Push services say by 404 and 410 that it is over.
    #[serde(default, rename = "expirationTime")]
    _expiration_time: Option<serde_json::Number>,
    keys: KeysJson,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeysJson {
    p256dh: String,
    auth: String,
}

async fn subscribe(
    State(state): State<AppState>,
    caller: Caller,
    session: Session,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(SubscriptionJson { endpoint, keys, .. }): JsonBody<SubscriptionJson>,
) -> Result<StatusCode, Error> {
    let browser = Browser { endpoint, p256dh: keys.p256dh, auth: keys.auth };
    let login = login::push_login(&session, &caller).await?;
    push::subscribe(&state, &caller, &origin, browser, login).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndpointJson {
    endpoint: String,
}

async fn unsubscribe(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(EndpointJson { endpoint }): JsonBody<EndpointJson>,
) -> Result<StatusCode, Error> {
    push::unsubscribe(&state, &caller, &origin, &endpoint).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
struct CheckJson {
    subscribed: bool,
}

/// A browser keeps its subscription whoever signs in or out: it has to ask whose that is here.
async fn check(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(EndpointJson { endpoint }): JsonBody<EndpointJson>,
) -> Result<Json<CheckJson>, Error> {
    Ok(Json(CheckJson { subscribed: push::is_subscribed(&state, &caller, &endpoint).await? }))
}
