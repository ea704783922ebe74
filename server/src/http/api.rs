//! `/api/v1`.

pub mod access;
pub mod audit;
pub mod auth;
pub mod connections;
pub mod embed_tokens;
pub mod event_search;
pub mod events;
pub mod jobs;
pub mod notification_rules;
pub mod notifications;
pub mod publishers;
pub mod push_subscriptions;
pub mod records;
pub mod server_checks;
pub mod subscriptions;
pub mod system;
pub mod traces;
pub mod webhooks;
pub mod witness;

use axum::Router;
use axum::routing::any;

use crate::domain::Modules;
use crate::error::Error;
use crate::state::AppState;

/// Everything under `/api`.
pub fn router(modules: &Modules) -> Router<AppState> {
    Router::new()
        .merge(access::router())
        .merge(audit::router())
        .merge(auth::router())
        .merge(connections::router())
        .merge(embed_tokens::router())
        .merge(event_search::router())
        .merge(events::router())
        .merge(jobs::router())
        .merge(notification_rules::router())
        .merge(notifications::router())
        .merge(publishers::router())
        .merge(push_subscriptions::router())
        .merge(records::router(modules))
        .merge(server_checks::router())
        .merge(subscriptions::router())
        .merge(system::router())
        .merge(traces::router())
        .merge(webhooks::router())
        .merge(witness::router())
        .route("/api/{*path}", any(not_found))
}

async fn not_found(uri: http::Uri) -> Error {
    Error::NotFound(format!("resource at {}", uri.path()))
}
