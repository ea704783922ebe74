//! `/api/v1/notifications/embed-tokens`: what services call to show their users a bell.

use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use tidewatch_events::Timestamp;
use tidewatch_events::id::UserId;

use crate::access::Caller;
use crate::commands::embed::{Whom, sign};
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::state::AppState;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new().route("/api/v1/notifications/embed-tokens", post(sign_token))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignRequest {
    #[serde(default)]
    user_id: Option<UserId>,
    #[serde(default)]
    email: Option<String>,
}

impl SignRequest {
    fn whom(self) -> Result<Whom, Error> {
        match (self.user_id, self.email) {
            (Some(id), None) => Ok(Whom::Id(id)),
            (None, Some(email)) => Ok(Whom::Email(email)),
            _ => Err(Error::field("userId", "or email has to be given, and not both")),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedJson {
    token: String,
    expires_at: Timestamp,
}

type Signed = ([(HeaderName, HeaderValue); 1], Json<SignedJson>);

async fn sign_token(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(request): JsonBody<SignRequest>,
) -> Result<Signed, Error> {
    let (token, expires_at) = sign(&state, &caller, &origin, &request.whom()?).await?;
    let signed = SignedJson { token: token.expose_secret().to_owned(), expires_at: expires_at.into() };
    Ok(([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(signed)))
}
