//! `/api/v1/system`: how Tidewatch itself does.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use tidewatch_app::model::SystemStatus;

use crate::access::Caller;
use crate::error::Error;
use crate::queries;
use crate::state::AppState;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new().route("/api/v1/system", get(read))
}

async fn read(State(state): State<AppState>, caller: Caller) -> Result<Json<SystemStatus>, Error> {
    Ok(Json(queries::system(&state, &caller).await?))
}
