//! `/api/v1/witness`: whether tables and events say the same.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use tidewatch_app::model::{ProjectChange, WitnessPage};

use crate::access::Caller;
use crate::api_documents::operation::JSON;
use crate::api_documents::{Operation, Routes, Shape};
use crate::commands;
use crate::error::Error;
use crate::http::origin::ReadOrigin;
use crate::queries;
use crate::state::AppState;

/// The routes.
pub fn routes() -> Routes {
    Routes::of("Witness")
        .get(
            "/api/v1/witness",
            read,
            Operation::new("getWitness", "Read what the witness found")
                .needs("audit.view")
                .answers::<WitnessPage>("Its last runs, and what the newest one found."),
        )
        .post(
            "/api/v1/witness",
            run,
            Operation::new("runWitness", "Have the witness look now")
                .needs("audit.view")
                .needs("jobs.act")
                .answers_with(StatusCode::ACCEPTED, "It looks.", JSON, Shape::of::<WitnessAsked>()),
        )
}

async fn read(State(state): State<AppState>, caller: Caller) -> Result<Json<WitnessPage>, Error> {
    Ok(Json(queries::witness(&state, &caller).await?))
}

/// A run that was asked for.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct WitnessAsked {
    /// The job that looks.
    job_id: String,
}

async fn run(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
) -> Result<(StatusCode, Json<WitnessAsked>), Error> {
    let asked = commands::change_project(&state, &caller, ProjectChange::RunWitness, &origin).await?;
    Ok((StatusCode::ACCEPTED, Json(WitnessAsked { job_id: asked.id })))
}
