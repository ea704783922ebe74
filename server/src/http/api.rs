//! `/api/v1`.

pub mod access;
pub mod audit;
pub mod auth;
pub mod connections;
pub mod events;
pub mod jobs;
pub mod publishers;
pub mod settlements;
pub mod subscriptions;
pub mod webhooks;

use axum::Router;
use axum::routing::any;

use crate::error::Error;
use crate::state::AppState;

/// Everything under `/api`.
pub fn router() -> Router<AppState> {
    Router::new()
        .merge(access::router())
        .merge(audit::router())
        .merge(auth::router())
        .merge(connections::router())
        .merge(events::router())
        .merge(jobs::router())
        .merge(publishers::router())
        .merge(settlements::router())
        .merge(subscriptions::router())
        .merge(webhooks::router())
        .route("/api/{*path}", any(not_found))
}

async fn not_found(uri: http::Uri) -> Error {
    Error::NotFound(format!("resource at {}", uri.path()))
}
