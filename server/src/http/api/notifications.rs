//! `/api/v1/notifications`: one's own inbox. No permission opens it, and none opens anybody else's.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tidewatch_app::model::{
    Inbox, InboxQuery, Notification, NotificationCount, NotificationFolder, NotificationSettings,
    NotificationSettingsPage, NotificationStep,
};
use tidewatch_events::id::NotificationId;

use crate::access::Caller;
use crate::access::credential::Credential;
use crate::api_documents::{Operation, Routes};
use crate::commands::Origin;
use crate::commands::notifications::settings;
use crate::commands::notifications::steps::{self, Recipient};
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::http::problem_kind::ProblemKind;
use crate::http::query::Query;
use crate::notifications::receipts::Way;
use crate::queries::notifications as queries;
use crate::state::AppState;

/// Most notifications of a page.
const MAX_LIMIT: u64 = 200;
/// Notifications of a page where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 50;

/// The routes.
pub fn routes() -> Routes {
    use ProblemKind::NoInbox;
    Routes::of("Notifications")
        .get(
            "/api/v1/notifications",
            list,
            Operation::new("listNotifications", "Read one's inbox")
                .query_of("folder", "Which folder.", &["unread", "open", "all", "archived"])
                .query::<String>("search", "Words that stand in title or body.")
                .query::<String>("group", "Of this group alone.")
                .query::<NotificationId>("after", "`next` of the page before.")
                .query_number("limit", "Most notifications of the page.", 1, MAX_LIMIT, DEFAULT_LIMIT)
                .answers::<Inbox>("A page of notifications, newest first, with what the badge says.")
                .for_persons(NoInbox),
        )
        .get(
            "/api/v1/notifications/count",
            count,
            Operation::new("countNotifications", "Count one's notifications")
                .answers::<NotificationCount>("What the badge says.")
                .for_persons(NoInbox),
        )
        .post(
            "/api/v1/notifications/steps",
            step_many,
            Operation::new("stepNotifications", "Do something with several notifications")
                .body::<Steps>()
                .for_example(json!({ "ids": ["ntf_01kaghsp3mfvy8e4v0h6x2t9rd"], "step": "read" }))
                .answers::<NotificationCount>("What the badge says now.")
                .for_persons(NoInbox)
                .gives([ProblemKind::Refused]),
        )
        .post(
            "/api/v1/notifications/read",
            read_up_to,
            Operation::new("readNotifications", "Say that all up to one are read")
                .body::<UpTo>()
                .answers::<NotificationCount>("What the badge says now.")
                .for_persons(NoInbox),
        )
        .get(
            "/api/v1/notifications/settings",
            read_settings,
            Operation::new("getNotificationSettings", "Read what one wants of notifications")
                .answers::<NotificationSettingsPage>("The settings, with what there is to choose from.")
                .for_persons(NoInbox),
        )
        .put(
            "/api/v1/notifications/settings",
            save_settings,
            Operation::new("saveNotificationSettings", "Say what one wants of notifications")
                .body::<NotificationSettings>()
                .for_example(json!({
                    "preferences": [{ "pattern": "settlement.*", "inApp": true, "email": "instant", "push": true }],
                    "quiet": { "from": 1320, "until": 420 },
                    "timeZone": "Europe/Vienna",
                    "digest": "daily",
                }))
                .answers_nothing(StatusCode::NO_CONTENT, "They are saved.")
                .for_persons(NoInbox),
        )
        .get(
            "/api/v1/notifications/{id}",
            read,
            Operation::new("getNotification", "Read a notification")
                .path::<NotificationId>("id", "Which.")
                .answers::<Notification>("The notification.")
                .for_persons(NoInbox),
        )
        .post(
            "/api/v1/notifications/{id}/{step}",
            step_one,
            Operation::new("stepNotification", "Do something with a notification")
                .path::<NotificationId>("id", "Which.")
                .path::<NotificationStep>("step", "What.")
                .answers::<Notification>("The notification as it is now.")
                .for_persons(NoInbox)
                .gives([ProblemKind::Refused]),
        )
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
    let limit = u32::try_from(query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?).unwrap_or(u32::MAX - 1);
    let asked = InboxQuery {
        folder: query.parse::<NotificationFolder>("folder")?.unwrap_or_default(),
        search: query.get("search").unwrap_or_default().to_owned(),
        group: query.get("group").map(ToOwned::to_owned),
        after: query.parse("after")?,
    };
    Ok(Json(queries::inbox(&state, &recipient, &asked, limit).await?.data))
}

async fn count(State(state): State<AppState>, caller: Caller) -> Result<Json<NotificationCount>, Error> {
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

#[derive(Deserialize, JsonSchema)]
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

#[derive(Deserialize, JsonSchema)]
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
) -> Result<Json<NotificationSettingsPage>, Error> {
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
