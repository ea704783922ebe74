//! Where a command comes from, by the request's headers.

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::commands::Origin;
use crate::error::Error;
use crate::http::request_id::{RequestId, RequestTrace};

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
        let traceparent = parts.extensions.get::<RequestTrace>().map(|trace| trace.0.to_string());
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        Ok(Self(Origin { request_id, correlation_id, traceparent }))
    }
}
