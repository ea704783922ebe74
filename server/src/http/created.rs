//! The answer to what made something.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::LOCATION;
use serde::Serialize;

/// 201 with what was made and, in `Location`, its address: neither can be without the other.
pub struct Created<T> {
    /// Where it is from now on: a path, and a fragment for what has no address of its own.
    pub at: String,
    /// What is said of it.
    pub body: T,
}

impl<T: Serialize> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, [(LOCATION, self.at)], Json(self.body)).into_response()
    }
}
