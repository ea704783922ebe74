//! `/api/v1/notifications/embed-tokens`: what services call to show their users a bell.

use axum::Json;
use axum::extract::State;
use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tidewatch_events::Timestamp;
use tidewatch_events::id::UserId;

use crate::access::Caller;
use crate::api_documents::{Operation, Routes};
use crate::commands::embed::{Whom, sign};
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::state::AppState;

/// The routes.
pub fn routes() -> Routes {
    Routes::of("Notifications").post(
        "/api/v1/notifications/embed-tokens",
        sign_token,
        Operation::new("createEmbedToken", "Sign a token for the embeddable bell")
            .describe(
                "For a person by id or by e-mail address: one of both. It opens that person's notifications.",
            )
            .needs("tokens.sign")
            .body::<EmbedTokenRequest>()
            .for_example(json!({ "email": "ada@example.com" }))
            .answers::<EmbedToken>("The token, and until when it counts.")
            .with_header("Cache-Control", "No store: the answer has a secret."),
    )
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EmbedTokenRequest {
    #[serde(default)]
    user_id: Option<UserId>,
    #[serde(default)]
    email: Option<String>,
}

impl EmbedTokenRequest {
    fn whom(self) -> Result<Whom, Error> {
        match (self.user_id, self.email) {
            (Some(id), None) => Ok(Whom::Id(id)),
            (None, Some(email)) => Ok(Whom::Email(email)),
            _ => Err(Error::field("userId", "or email has to be given, and not both")),
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EmbedToken {
    token: String,
    expires_at: Timestamp,
}

type Signed = ([(HeaderName, HeaderValue); 1], Json<EmbedToken>);

async fn sign_token(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(request): JsonBody<EmbedTokenRequest>,
) -> Result<Signed, Error> {
    let (token, expires_at) = sign(&state, &caller, &origin, &request.whom()?).await?;
    let signed = EmbedToken { token: token.expose_secret().to_owned(), expires_at: expires_at.into() };
    Ok(([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(signed)))
}
