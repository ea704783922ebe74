//! `/api/v1/witness`: whether tables and events say the same.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};
use tidewatch_app::model::{ProjectChange, WitnessPage};

use crate::access::Caller;
use crate::commands;
use crate::error::Error;
use crate::http::origin::ReadOrigin;
use crate::http::query::Query;
use crate::queries;
use crate::state::AppState;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new().route("/api/v1/witness", get(read).post(run))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    query: Query,
) -> Result<Json<WitnessPage>, Error> {
    query.only(&[])?;
    Ok(Json(queries::witness(&state, &caller).await?))
}

async fn run(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
) -> Result<(StatusCode, Json<Value>), Error> {
    let asked = commands::change_project(&state, &caller, ProjectChange::RunWitness, &origin).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "jobId": asked.id }))))
}
