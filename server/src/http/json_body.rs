//! The body of a request as JSON, with errors that say what is wrong and where.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
        parse(&read_bytes(request, state, MAX_BODY_BYTES).await?).map(Self)
    }
}

/// The body, of which `most` bytes are allowed on this route.
///
/// # Errors
/// 413 for a larger one, 400 where it breaks off.
pub async fn read_bytes(request: Request, state: &AppState, most: usize) -> Result<Bytes, Error> {
    Bytes::from_request(request, state).await.map_err(|rejection| {
        let status = rejection.status();
        let message = match status {
            StatusCode::PAYLOAD_TOO_LARGE => format!("a body may have {most} bytes"),
            _ => rejection.body_text(),
        };
        Error::Body(status, message)
    })
}

/// A media type without its parameters, in lower case.
#[must_use]
pub fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

/// Whether that is JSON, or something written in JSON.
#[must_use]
pub fn is_json(content_type: &str) -> bool {
    let essence = essence(content_type);
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// Reads a body as any JSON.
///
/// # Errors
/// 400 that says where the syntax is broken.
pub fn parse_any(body: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(body)
        .map_err(|error| Error::Body(StatusCode::BAD_REQUEST, format!("the body is no JSON: {error}")))
}

/// Reads a body. First as any JSON, so that bad syntax and a wrong shape are told apart.
///
/// # Errors
/// 400 for bad syntax, 422 that points at the field for another shape.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    read(parse_any(body)?)
}

/// Reads JSON as something of this shape.
///
/// # Errors
/// 422 that points at the field for another shape.
pub fn read<T: DeserializeOwned>(json: Value) -> Result<T, Error> {
    if let Some(place) = nul_in(&json) {
        return Err(Error::field(place.trim_start_matches('/'), "has a NUL, which no text here has"));
    }
    serde_path_to_error::deserialize(json).map_err(|error| {
        let mut place: Vec<String> = error.path().iter().map(segment).collect();
        let message = error.into_inner().to_string();
        // A field that is missing or unknown is named by the message, and its object by the path.
        if let Some(field) = field_in(&message)
            && place.last() != Some(&field)
        {
            place.push(field);
        }
        Error::field(&place.join("/"), message)
    })
}

/// Where a text has a NUL, which no text of Postgres can have: refused here, it need not be thought of elsewhere.
fn nul_in(json: &Value) -> Option<String> {
    match json {
        Value::String(text) => text.contains('\0').then(String::new),
        Value::Array(values) => {
            values.iter().enumerate().find_map(|(index, value)| Some(format!("/{index}{}", nul_in(value)?)))
        }
        Value::Object(fields) => fields.iter().find_map(|(name, value)| {
            if name.contains('\0') {
                return Some(String::new());
            }
            Some(format!("/{name}{}", nul_in(value)?))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}

fn segment(segment: &serde_path_to_error::Segment) -> String {
    use serde_path_to_error::Segment;
    match segment {
        Segment::Seq { index } => index.to_string(),
        Segment::Map { key } => key.clone(),
        Segment::Enum { variant } => variant.clone(),
        Segment::Unknown => "?".to_owned(),
    }
}

/// The field that an error of serde names between its first backquotes ("missing field `x`").
fn field_in(message: &str) -> Option<String> {
    let named = ["missing field `", "unknown field `"].iter().find_map(|start| message.strip_prefix(start));
    named.and_then(|rest| rest.split('`').next()).map(ToOwned::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nul_is_found_wherever_it_is() {
        for (json, place) in [
            (json!({ "a": ["b", { "c": "d\0" }] }), Some("/a/1/c")),
            (json!("\0"), Some("")),
            (json!({ "a": { "\0": 1 } }), Some("/a")),
            (json!({ "a": ["b", null, 1, true] }), None),
        ] {
            assert_eq!(nul_in(&json).as_deref(), place, "{json}");
        }
    }
}
