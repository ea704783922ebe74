//! `/healthz`, `/readyz` and `/metrics`.

use std::time::Duration;

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use http::header::CONTENT_TYPE;

use crate::api_documents::{Operation, Routes, Shape};
use crate::error::Error;
use crate::http::problem_kind::ProblemKind;
use crate::metrics::CONTENT_TYPE_METRICS;
use crate::state::AppState;

/// The routes.
pub fn routes() -> Routes {
    let told = |id: &str, summary: &str| Operation::new(id, summary).open();
    Routes::of("Health")
        .get(
            "/healthz",
            healthz,
            told("getHealth", "Ask whether the process answers")
                .describe("Asks no dependency.")
                .without(&[ProblemKind::Unavailable])
                .answers_with(StatusCode::OK, "It does.", TEXT, Shape::text())
                .answered_like("ok\n"),
        )
        .get(
            "/readyz",
            readyz,
            told("getReadiness", "Ask whether the instance takes new work")
                .describe("503 while it goes down or while Postgres cannot be reached.")
                .answers_with(StatusCode::OK, "It does.", TEXT, Shape::text())
                .answered_like("ready\n"),
        )
        .get(
            "/metrics",
            metrics,
            told("getMetrics", "Read what this instance measures")
                .describe("For Prometheus. What each metric means stands in its `# HELP` line.")
                .without(&[ProblemKind::Unavailable])
                .answers_with(StatusCode::OK, "The metrics.", CONTENT_TYPE_METRICS, Shape::text())
                .answered_like("# HELP tidewatch_connections Live connections.\n"),
        )
}

/// How long a readiness check waits for Postgres.
const PATIENCE: Duration = Duration::from_secs(1);
const TEXT: &str = "text/plain";

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
