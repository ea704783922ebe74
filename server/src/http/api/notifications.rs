//! `/api/v1/notifications`: one's own inbox. No permission opens it, and none opens anybody else's.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use tidewatch_app::model::{
    Inbox, InboxQuery, Notification, NotificationCount, NotificationFolder, NotificationSettings,
    NotificationSettingsPage, NotificationStep,
};
use tidewatch_events::id::NotificationId;

use crate::access::Caller;
use crate::access::credential::Credential;
use crate::commands::Origin;
use crate::commands::notifications::settings;
use crate::commands::notifications::steps::{self, Recipient};
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::http::query::Query;
use crate::notifications::receipts::Way;
use crate::queries::notifications as queries;
use crate::state::AppState;

/// Most notifications of a page.
const MAX_LIMIT: u64 = 200;
/// Notifications of a page where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 50;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/notifications", get(list))
        .route("/api/v1/notifications/count", get(count))
        .route("/api/v1/notifications/steps", post(step_many))
        .route("/api/v1/notifications/read", post(read_up_to))
        .route("/api/v1/notifications/settings", get(read_settings).put(save_settings))
        .route("/api/v1/notifications/{id}", get(read))
        .route("/api/v1/notifications/{id}/{step}", post(step_one))
}

fn recipient(caller: &Caller, origin: &Origin) -> Result<Recipient, Error> {
    let way = match caller.credential {
        Credential::Embed { .. } => Way::Embed,
        _ => Way::Api,
    };
    Recipient::of(caller, origin, way)
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    query: Query,
) -> Result<Json<Inbox>, Error> {
    let recipient = recipient(&caller, &origin)?;
    let query = query.only(&["folder", "search", "group", "after", "limit"])?;
    let limit = u32::try_from(query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?).unwrap_or(u32::MAX - 1);
    let asked = InboxQuery {
        folder: query.parse::<NotificationFolder>("folder")?.unwrap_or_default(),
        search: query.get("search").unwrap_or_default().to_owned(),
        group: query.get("group").map(ToOwned::to_owned),
        after: query.parse("after")?,
    };
    Ok(Json(queries::inbox(&state, &recipient, &asked, limit).await?.data))
}

async fn count(
    State(state): State<AppState>,
    caller: Caller,
    query: Query,
) -> Result<Json<NotificationCount>, Error> {
    query.only(&[])?;
    Ok(Json(queries::count(&state, &caller).await?.data))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(notification): Path<String>,
) -> Result<Json<Notification>, Error> {
    let recipient = recipient(&caller, &origin)?;
    Ok(Json(queries::notification(&state, &recipient, id(&notification)?).await?.data))
}

async fn step_one(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path((notification, step)): Path<(String, String)>,
) -> Result<Json<Notification>, Error> {
    let recipient = recipient(&caller, &origin)?;
    let step: NotificationStep =
        step.parse().map_err(|_| Error::NotFound(format!("step `{step}` of a notification")))?;
    let id = id(&notification)?;
    steps::take(&state, &recipient, &[id], step).await?;
    Ok(Json(queries::notification(&state, &recipient, id).await?.data))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Steps {
    ids: Vec<NotificationId>,
    step: NotificationStep,
}

async fn step_many(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(Steps { ids, step }): JsonBody<Steps>,
) -> Result<Json<NotificationCount>, Error> {
    steps::take(&state, &recipient(&caller, &origin)?, &ids, step).await?;
    Ok(Json(queries::count(&state, &caller).await?.data))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UpTo {
    up_to: NotificationId,
}

async fn read_up_to(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(UpTo { up_to }): JsonBody<UpTo>,
) -> Result<Json<NotificationCount>, Error> {
    steps::read_up_to(&state, &recipient(&caller, &origin)?, up_to).await?;
    Ok(Json(queries::count(&state, &caller).await?.data))
}

async fn read_settings(
    State(state): State<AppState>,
    caller: Caller,
    query: Query,
) -> Result<Json<NotificationSettingsPage>, Error> {
    query.only(&[])?;
    Ok(Json(queries::settings_page(&state, &caller).await?))
}

async fn save_settings(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(wanted): JsonBody<NotificationSettings>,
) -> Result<StatusCode, Error> {
    settings::save(&state, &caller, &origin, &wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An id of the path; one that is malformed names nothing.
fn id(text: &str) -> Result<NotificationId, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("notification `{text}`")))
}
