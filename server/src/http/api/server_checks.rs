//! `GET /api/v1/servers/{id}/checks`: what the last checks of a watched server came to.

use axum::Json;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Serialize;
use tidewatch_app::model::ServerCheck;
use tidewatch_events::Timestamp;
use tidewatch_events::id::ServerId;

use crate::access::Caller;
use crate::api_documents::{Operation, Routes};
use crate::error::Error;
use crate::http::query::Query;
use crate::queries;
use crate::state::AppState;

/// Checks where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 100;
/// Most checks of one answer.
const MAX_LIMIT: u64 = 1_000;

/// The route.
pub fn routes() -> Routes {
    Routes::of("Servers").get(
        "/api/v1/servers/{id}/checks",
        checks,
        Operation::new("listServerChecks", "List the checks of a server")
            .needs("servers.read")
            .path::<ServerId>("id", "Which server.")
            .query_number("limit", "Most checks.", 1, MAX_LIMIT, DEFAULT_LIMIT)
            .answers::<ServerChecks>("What the last checks came to, newest first."),
    )
}

/// What the last checks of a server came to.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ServerChecks {
    /// The checks, newest first.
    checks: Vec<ServerCheck>,
    /// When the newest one was.
    last_checked_at: Option<Timestamp>,
}

async fn checks(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<ServerChecks>, Error> {
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let checks = queries::server_checks(&state, &caller, &id, limit).await?;
    let last_checked_at = checks.first().map(|check| check.checked_at);
    Ok(Json(ServerChecks { checks, last_checked_at }))
}
