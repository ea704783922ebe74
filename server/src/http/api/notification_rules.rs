//! `/api/v1/notification-rules`: rules that turn events into notifications; and what became of those of an event.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{HeaderName, StatusCode, header::LOCATION};
use serde::Deserialize;
use serde_json::{Value, json};
use tidewatch_app::model::{NewNotificationRule, NotificationRule, NotificationRulePatch};
use tidewatch_events::EventId;
use tidewatch_events::id::NotificationRuleId;

use crate::access::Caller;
use crate::commands::notifications::rules as commands;
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::http::query::Query;
use crate::queries::notifications as queries;
use crate::state::AppState;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/notification-rules", get(list).post(create))
        .route("/api/v1/notification-rules/{id}", get(read).patch(update).delete(delete))
        .route("/api/v1/notification-rules/{id}/preview", post(preview))
        .route("/api/v1/events/{eventId}/notifications", get(of_event))
}

async fn list(State(state): State<AppState>, caller: Caller, query: Query) -> Result<Json<Value>, Error> {
    query.only(&[])?;
    Ok(Json(json!({ "rules": queries::rules(&state, &caller).await? })))
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(new): JsonBody<NewNotificationRule>,
) -> Result<(StatusCode, [(HeaderName, String); 1], Json<NotificationRule>), Error> {
    let made = commands::create(&state, &caller, &origin, new).await?;
    let location = [(LOCATION, format!("/api/v1/notification-rules/{}", made.id))];
    Ok((StatusCode::CREATED, location, Json(queries::rule(&state, &caller, id(&made.id)?).await?)))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Path(rule): Path<String>,
) -> Result<Json<NotificationRule>, Error> {
    Ok(Json(queries::rule(&state, &caller, id(&rule)?).await?))
}

async fn update(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(rule): Path<String>,
    JsonBody(patch): JsonBody<NotificationRulePatch>,
) -> Result<Json<NotificationRule>, Error> {
    let rule = id(&rule)?;
    commands::update(&state, &caller, &origin, rule, patch).await?;
    Ok(Json(queries::rule(&state, &caller, rule).await?))
}

async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(rule): Path<String>,
) -> Result<StatusCode, Error> {
    commands::delete(&state, &caller, &origin, id(&rule)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Previewed {
    event_id: EventId,
}

async fn preview(
    State(state): State<AppState>,
    caller: Caller,
    Path(rule): Path<String>,
    JsonBody(Previewed { event_id }): JsonBody<Previewed>,
) -> Result<Json<queries::Preview>, Error> {
    Ok(Json(queries::preview(&state, &caller, id(&rule)?, event_id).await?))
}

async fn of_event(
    State(state): State<AppState>,
    caller: Caller,
    Path(event): Path<String>,
    query: Query,
) -> Result<Json<Value>, Error> {
    query.only(&[])?;
    let event: EventId = event.parse().map_err(|_| Error::NotFound(format!("event `{event}`")))?;
    Ok(Json(json!({ "notifications": queries::of_event(&state, &caller, event).await? })))
}

/// An id of the path; one that is malformed names nothing.
fn id(text: &str) -> Result<NotificationRuleId, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("notification rule `{text}`")))
}
