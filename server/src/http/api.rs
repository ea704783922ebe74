//! `/api/v1`.

pub mod access;
pub mod api_keys;
pub mod audit;
pub mod auth;
pub mod connections;
pub mod documents;
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
pub mod sessions;
pub mod subscriptions;
pub mod system;
pub mod traces;
pub mod webhooks;
pub mod witness;

use axum::routing::{any, get};
use axum::{Extension, Router};

use crate::api_documents::{ApiDocuments, Routes};
use crate::domain::Modules;
use crate::error::Error;
use crate::http::health;
use crate::state::AppState;

/// Everything under `/api`, with what is said of it. The documents that say it are among it.
pub fn routes(modules: &Modules) -> Routes {
    Routes::default()
        .merge(access::routes())
        .merge(api_keys::routes())
        .merge(audit::routes())
        .merge(auth::routes())
        .merge(connections::routes())
        .merge(embed_tokens::routes())
        .merge(event_search::routes())
        .merge(events::routes())
        .merge(jobs::routes())
        .merge(notification_rules::routes())
        .merge(notifications::routes())
        .merge(publishers::routes())
        .merge(push_subscriptions::routes())
        .merge(records::routes(modules))
        .merge(server_checks::routes())
        .merge(sessions::routes())
        .merge(subscriptions::routes())
        .merge(system::routes())
        .merge(traces::routes())
        .merge(webhooks::routes())
        .merge(witness::routes())
        .merge(documents::routes())
}

/// The router. What none of the routes has under `/api` is answered as the API answers: by a problem.
pub fn router(modules: &Modules) -> Router<AppState> {
    let (router, mut operations) = routes(modules).into_parts();
    // They stand beside, where no session is looked up.
    operations.extend_from_slice(health::routes().operations());
    router
        .route(documents::STYLE_PATH, get(documents::style))
        .route("/api/{*path}", any(not_found))
        .layer(Extension(ApiDocuments::new(operations, modules.clone())))
}

async fn not_found(uri: http::Uri) -> Error {
    Error::NotFound(format!("resource at {}", uri.path()))
}
