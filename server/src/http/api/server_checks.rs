//! `GET /api/v1/servers/{id}/checks`: what the last checks of a watched server came to.

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::access::Caller;
use crate::error::Error;
use crate::http::query::Query;
use crate::queries;
use crate::state::AppState;

/// Checks where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 100;
/// Most checks of one answer.
const MAX_LIMIT: u64 = 1_000;

/// The route.
pub fn router() -> Router<AppState> {
    Router::new().route("/api/v1/servers/{id}/checks", get(checks))
}

async fn checks(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    query: Query,
) -> Result<Json<Value>, Error> {
    let limit = query.only(&["limit"])?.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let limit = u32::try_from(limit).unwrap_or(u32::MAX);
    let checks = queries::server_checks(&state, &caller, &id, limit).await?;
    let last = checks.first().map(|check| check.checked_at);
    Ok(Json(json!({ "checks": checks, "lastCheckedAt": last })))
}
