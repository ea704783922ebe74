//! Where a command comes from, by the request's headers.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::commands::Origin;
use crate::error::Error;
use crate::http::request_id::RequestId;

/// Where a command comes from, by the request's headers.
pub struct ReadOrigin(pub Origin);

impl<S: Send + Sync> FromRequestParts<S> for ReadOrigin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let correlation_id = match text("x-correlation-id") {
            Some(id) if id.len() <= 200 && !id.is_empty() => Some(id.to_owned()),
            Some(_) => return Err(Error::parameter("x-correlation-id", "must have 1 to 200 characters")),
            None => None,
        };
        // A trace context that is not valid is ignored, as the W3C asks.
        let traceparent = text("traceparent").filter(|value| is_traceparent(value)).map(ToOwned::to_owned);
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        Ok(Self(Origin { request_id, correlation_id, traceparent }))
    }
}

/// Version 00 of [W3C Trace Context](https://www.w3.org/TR/trace-context/#traceparent-header).
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    matches!(parts.as_slice(), [version, trace, parent, flags]
        if hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2))
}
