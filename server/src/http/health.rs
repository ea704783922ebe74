//! `/healthz`, `/readyz` and `/metrics`.

use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::error::Error;
use crate::metrics::CONTENT_TYPE_METRICS;
use crate::state::AppState;

/// How long a readiness check waits for Postgres.
const PATIENCE: Duration = Duration::from_secs(1);

/// Alive: the process answers. Asks no dependency, so that a blip of the database does not get
/// healthy servers restarted.
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// What this instance measures, for Prometheus.
pub async fn metrics(State(state): State<AppState>) -> Result<impl IntoResponse, Error> {
    let text = state.metrics.encode(&state).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(([(CONTENT_TYPE, CONTENT_TYPE_METRICS)], text))
}

/// Ready: takes new work. 503 while it goes down or while Postgres cannot be reached.
pub async fn readyz(State(state): State<AppState>) -> Result<(StatusCode, &'static str), Error> {
    if state.readiness.is_leaving() {
        return Err(Error::Unavailable("this instance is going down"));
    }
    let answer = tokio::time::timeout(PATIENCE, sqlx::query("select 1").execute(&state.pool)).await;
    match answer {
        Ok(Ok(_)) => Ok((StatusCode::OK, "ready\n")),
        Ok(Err(error)) => Err(error.into()),
        Err(_) => Err(Error::Unavailable("the database does not answer")),
    }
}
