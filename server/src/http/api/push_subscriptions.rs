//! `/api/v1/notifications/push-…`: browsers that want notifications by Web Push.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower_sessions::Session;

use crate::access::credential::Credential;
use crate::access::{Caller, login};
use crate::api_documents::{Operation, Routes};
use crate::commands::push::{self, Browser};
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::http::problem_kind::ProblemKind;
use crate::http::push_cookie::{PushCookie, SetCookie};
use crate::state::AppState;

/// The routes.
pub fn routes() -> Routes {
    Routes::of("Notifications")
        .get(
            "/api/v1/notifications/push-key",
            read_key,
            Operation::new("getPushKey", "Read the key for Web Push").answers::<PushKey>("The key (VAPID, RFC 8292)."),
        )
        .post(
            "/api/v1/notifications/push-subscriptions",
            subscribe,
            Operation::new("createPushSubscription", "Have a browser told by Web Push")
                .body::<PushSubscription>()
                .for_example(json!({
                    "endpoint": "https://push.example.com/send/7",
                    "keys": {
                        "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
                        "auth": "BTBZMqHH6r4Tts7J_aSIgg",
                    },
                }))
                .answers_nothing(StatusCode::NO_CONTENT, "It is told from now on.")
                .for_persons(ProblemKind::NoInbox)
                .gives([ProblemKind::Refused]),
        )
        .delete(
            "/api/v1/notifications/push-subscriptions",
            unsubscribe,
            Operation::new("deletePushSubscription", "Have a browser told no longer")
                .body::<PushEndpoint>()
                .for_example(json!({ "endpoint": "https://push.example.com/send/7" }))
                .answers_nothing(StatusCode::NO_CONTENT, "It is told no longer.")
                .for_persons(ProblemKind::NoInbox),
        )
        .post(
            "/api/v1/notifications/push-subscriptions/check",
            check,
            Operation::new("checkPushSubscription", "Ask whether a browser is told")
                .body::<PushEndpoint>()
                .for_example(json!({ "endpoint": "https://push.example.com/send/7" }))
                .answers::<PushCheck>("Whether it is.")
                .for_persons(ProblemKind::NoInbox),
        )
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PushKey {
    /// For `applicationServerKey`; null: this server pushes nothing.
    key: Option<String>,
}

async fn read_key(State(state): State<AppState>, _: Caller) -> Json<PushKey> {
    Json(PushKey { key: state.outside.push_key().map(ToOwned::to_owned) })
}

/// As browsers write it (`PushSubscription.toJSON()`).
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PushSubscription {
    endpoint: String,
    /// Push services say by 404 and 410 that it is over.
    #[serde(default, rename = "expirationTime")]
    #[schemars(with = "Option<f64>")]
    _expiration_time: Option<serde_json::Number>,
    keys: PushKeys,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PushKeys {
    p256dh: String,
    auth: String,
}

async fn subscribe(
    State(state): State<AppState>,
    caller: Caller,
    session: Session,
    cookie: PushCookie,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(PushSubscription { endpoint, keys, .. }): JsonBody<PushSubscription>,
) -> Result<(SetCookie, StatusCode), Error> {
    let browser = Browser { endpoint, p256dh: keys.p256dh, auth: keys.auth };
    let (login, kept) = match caller.credential {
        Credential::Session { .. } => {
            let login = login::push_login(&session).await?;
            (Some(login), Some(login))
        }
        Credential::Token { family, .. } => (Some(family), None),
        Credential::Key(_) | Credential::Embed { .. } | Credential::Member { .. } => (None, None),
    };
    push::subscribe(&state, &caller, &origin, browser, login).await?;
    Ok((cookie.keep(kept), StatusCode::NO_CONTENT))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PushEndpoint {
    endpoint: String,
}

async fn unsubscribe(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(PushEndpoint { endpoint }): JsonBody<PushEndpoint>,
) -> Result<StatusCode, Error> {
    push::unsubscribe(&state, &caller, &origin, &endpoint).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize, JsonSchema)]
struct PushCheck {
    subscribed: bool,
}

/// A browser keeps its subscription whoever signs in or out: it has to ask whose that is here.
async fn check(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(PushEndpoint { endpoint }): JsonBody<PushEndpoint>,
) -> Result<Json<PushCheck>, Error> {
    Ok(Json(PushCheck { subscribed: push::is_subscribed(&state, &caller, &endpoint).await? }))
}
