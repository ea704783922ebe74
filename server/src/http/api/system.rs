//! `/api/v1/system`: how Tidewatch itself does.

use axum::Json;
use axum::extract::State;
use tidewatch_app::model::SystemStatus;

use crate::access::Caller;
use crate::api_documents::{Operation, Routes};
use crate::error::Error;
use crate::queries;
use crate::state::AppState;

/// The routes.
pub fn routes() -> Routes {
    Routes::of("System").get(
        "/api/v1/system",
        read,
        Operation::new("getSystemStatus", "Read how Tidewatch itself does")
            .needs("jobs.read")
            .answers::<SystemStatus>("How it does, as the instance that answers sees it."),
    )
}

async fn read(State(state): State<AppState>, caller: Caller) -> Result<Json<SystemStatus>, Error> {
    Ok(Json(queries::system(&state, &caller).await?))
}
