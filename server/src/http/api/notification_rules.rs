//! `/api/v1/notification-rules`: rules that turn events into notifications; and what became of those of an event.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tidewatch_app::model::{NewNotificationRule, NotificationProof, NotificationRule, NotificationRulePatch};
use tidewatch_events::EventId;
use tidewatch_events::id::NotificationRuleId;

use crate::access::Caller;
use crate::api_documents::{Operation, Routes};
use crate::commands::notifications::rules as commands;
use crate::error::Error;
use crate::http::created::Created;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::http::problem_kind::ProblemKind;
use crate::queries::notifications as queries;
use crate::state::AppState;

/// The routes.
pub fn routes() -> Routes {
    use ProblemKind::{Refused, StaleVersion};
    Routes::of("Notification rules")
        .get(
            "/api/v1/notification-rules",
            list,
            Operation::new("listNotificationRules", "List rules")
                .needs("notifications.manage")
                .lists::<NotificationRule>("rules", "The rules."),
        )
        .post(
            "/api/v1/notification-rules",
            create,
            Operation::new("createNotificationRule", "Make a rule")
                .needs("notifications.manage")
                .body::<NewNotificationRule>()
                .for_example(json!({
                    "name": "Failed settlements",
                    "types": ["settlement.failed"],
                    "audience": [{ "kind": "role", "name": "operator" }],
                    "template": { "title": "{{/network}}: a settlement failed", "link": "/settlements/{{id}}" },
                    "mustAcknowledge": true,
                }))
                .creates::<NotificationRule>("The rule.")
                .gives([Refused]),
        )
        .get(
            "/api/v1/notification-rules/{id}",
            read,
            Operation::new("getNotificationRule", "Read a rule")
                .needs("notifications.manage")
                .path::<NotificationRuleId>("id", "Which.")
                .answers::<NotificationRule>("The rule."),
        )
        .patch(
            "/api/v1/notification-rules/{id}",
            update,
            Operation::new("updateNotificationRule", "Change a rule")
                .needs("notifications.manage")
                .path::<NotificationRuleId>("id", "Which.")
                .body::<NotificationRulePatch>()
                .for_example(json!({ "enabled": false, "expectedVersion": 3 }))
                .answers::<NotificationRule>("The rule.")
                .gives([Refused, StaleVersion]),
        )
        .delete(
            "/api/v1/notification-rules/{id}",
            delete,
            Operation::new("deleteNotificationRule", "Delete a rule")
                .describe("What it has made stays.")
                .needs("notifications.manage")
                .path::<NotificationRuleId>("id", "Which.")
                .answers_nothing(StatusCode::NO_CONTENT, "It is deleted."),
        )
        .post(
            "/api/v1/notification-rules/{id}/preview",
            preview,
            Operation::new("previewNotificationRule", "Try a rule on an event")
                .describe("What the rule would make of an event, without making it.")
                .needs("notifications.manage")
                .path::<NotificationRuleId>("id", "Which.")
                .body::<Previewed>()
                .answers::<queries::Preview>("What would be made."),
        )
        .get(
            "/api/v1/events/{eventId}/notifications",
            of_event,
            Operation::new("listNotificationsOfEvent", "List what became of an event's notifications")
                .needs("deliveries.read")
                .path::<EventId>("eventId", "Of which event.")
                .lists::<NotificationProof>("notifications", "Each notification with its recipients."),
        )
}

async fn list(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Error> {
    Ok(Json(json!({ "rules": queries::rules(&state, &caller).await? })))
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(new): JsonBody<NewNotificationRule>,
) -> Result<Created<NotificationRule>, Error> {
    let made = commands::create(&state, &caller, &origin, new).await?;
    let at = format!("/api/v1/notification-rules/{}", made.id);
    Ok(Created { at, body: queries::rule(&state, &caller, id(&made.id)?).await? })
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

#[derive(Deserialize, JsonSchema)]
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
) -> Result<Json<Value>, Error> {
    let event: EventId = event.parse().map_err(|_| Error::NotFound(format!("event `{event}`")))?;
    Ok(Json(json!({ "notifications": queries::of_event(&state, &caller, event).await? })))
}

/// An id of the path; one that is malformed names nothing.
fn id(text: &str) -> Result<NotificationRuleId, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("notification rule `{text}`")))
}
