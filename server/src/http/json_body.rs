//! The body of a request as JSON, with errors that say what is wrong and where.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::state::AppState;

/// Largest body of a request, in bytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A body in JSON: 415 for another content type, 413 past 1 MiB, 400 for what is no JSON, 422
/// for JSON of another shape.
pub struct JsonBody<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Error;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, Error> {
        let content_type =
            request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        if !is_json(content_type) {
            let message = format!("send the body as application/json, not as `{content_type}`");
            return Err(Error::Body(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
        }
        let body = Bytes::from_request(request, state).await.map_err(|rejection| {
            let status = rejection.status();
            let message = match status {
                StatusCode::PAYLOAD_TOO_LARGE => format!("a body may have {MAX_BODY_BYTES} bytes"),
                _ => rejection.body_text(),
            };
            Error::Body(status, message)
        })?;
        parse(&body).map(Self)
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads a body. First as any JSON, so that bad syntax and a wrong shape are told apart.
fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let value: serde_json::Value = serde_json::from_slice(body)
        .map_err(|error| Error::Body(StatusCode::BAD_REQUEST, format!("the body is no JSON: {error}")))?;
    serde_json::from_value(value).map_err(|error| {
        let message = error.to_string();
        Error::field(&field_in(&message), message)
    })
}

/// The field that an error of serde names between its first backquotes ("missing field `x`").
fn field_in(message: &str) -> String {
    let named = ["missing field `", "unknown field `"].iter().find_map(|start| message.strip_prefix(start));
    named.and_then(|rest| rest.split('`').next()).unwrap_or_default().to_owned()
}
