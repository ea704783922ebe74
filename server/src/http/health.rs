//! `/healthz` and `/readyz`.

use std::time::Duration;

use axum::extract::State;
use http::StatusCode;

use crate::error::Error;
use crate::state::AppState;

/// How long a readiness check waits for Postgres.
const PATIENCE: Duration = Duration::from_secs(1);

/// Alive: the process answers. Asks no dependency, so that a blip of the database does not get
/// healthy servers restarted.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: takes new work. 503 while draining or while Postgres cannot be reached.
pub async fn readyz(State(state): State<AppState>) -> Result<(StatusCode, &'static str), Error> {
    if state.readiness.is_draining() {
        return Err(Error::Unavailable("this instance is going down"));
    }
    let answer = tokio::time::timeout(PATIENCE, sqlx::query("select 1").execute(&state.pool)).await;
    match answer {
        Ok(Ok(_)) => Ok((StatusCode::OK, "ready\n")),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Error::Unavailable("the database does not answer")),
    }
}
