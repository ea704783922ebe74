//! `/api/v1/webhooks`: endpoints outside that are told of events, and how that went.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidewatch_app::model::{
    Changed, NewWebhook, Webhook, WebhookDeliveries, WebhookDeliveryDetail, WebhookDeliveryState,
    WebhookPatch,
};
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};

use crate::access::Caller;
use crate::api_documents::operation::JSON;
use crate::api_documents::{Operation, Routes, Shape};
use crate::commands::webhooks as commands;
use crate::error::Error;
use crate::http::created::Created;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::http::problem_kind::ProblemKind;
use crate::http::query::Query;
use crate::queries::webhooks as queries;
use crate::state::AppState;

/// Most deliveries of a page.
const MAX_LIMIT: u64 = 500;
/// Deliveries of a page where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 50;
/// Hours for which the old secret signs where nobody asked for another number.
const DEFAULT_OVERLAP_HOURS: u32 = 24;

/// The routes.
pub fn routes() -> Routes {
    use ProblemKind::Refused;
    Routes::of("Webhooks")
        .get(
            "/api/v1/webhooks",
            list,
            Operation::new("listWebhooks", "List endpoints")
                .needs("webhooks.manage")
                .lists::<Webhook>("webhooks", "The endpoints, without their secrets."),
        )
        .post(
            "/api/v1/webhooks",
            create,
            Operation::new("createWebhook", "Make an endpoint")
                .describe("The answer has the secret that signs. It is shown once.")
                .needs("webhooks.manage")
                .body::<NewWebhook>()
                .for_example(json!({ "url": "https://example.com/hooks", "types": ["settlement.*"] }))
                .creates::<WebhookWithSecret>("The endpoint.")
                .gives([Refused]),
        )
        .get(
            "/api/v1/webhooks/{id}",
            read,
            Operation::new("getWebhook", "Read an endpoint")
                .needs("webhooks.manage")
                .path::<WebhookId>("id", "Which.")
                .answers::<Webhook>("The endpoint."),
        )
        .patch(
            "/api/v1/webhooks/{id}",
            update,
            Operation::new("updateWebhook", "Change an endpoint")
                .needs("webhooks.manage")
                .path::<WebhookId>("id", "Which.")
                .body::<WebhookPatch>()
                .for_example(json!({ "enabled": true }))
                .answers::<Webhook>("The endpoint."),
        )
        .delete(
            "/api/v1/webhooks/{id}",
            delete,
            Operation::new("deleteWebhook", "Delete an endpoint")
                .needs("webhooks.manage")
                .path::<WebhookId>("id", "Which.")
                .answers_nothing(StatusCode::NO_CONTENT, "It is deleted, with all that is known of it."),
        )
        .post(
            "/api/v1/webhooks/{id}/rotate-secret",
            rotate_secret,
            Operation::new("rotateWebhookSecret", "Make an endpoint's next secret")
                .describe("The old one signs beside it for `overlapHours`. The new one is shown once.")
                .needs("webhooks.manage")
                .path::<WebhookId>("id", "Which.")
                .body::<SecretRotation>()
                .answers::<WebhookWithSecret>("The endpoint, with its new secret.")
                .gives([Refused]),
        )
        .post(
            "/api/v1/webhooks/{id}/test",
            send_test,
            Operation::new("testWebhook", "Send an endpoint a test")
                .needs("webhooks.manage")
                .path::<WebhookId>("id", "Which.")
                .answers_with(StatusCode::ACCEPTED, "It is sent.", JSON, Shape::of::<WebhookDeliveryDetail>())
                .gives([Refused]),
        )
        .get(
            "/api/v1/webhooks/{id}/deliveries",
            list_deliveries,
            Operation::new("listWebhookDeliveries", "List what was sent to an endpoint")
                .needs("webhooks.manage")
                .path::<WebhookId>("id", "Which endpoint.")
                .query_of(
                    "state",
                    "Only in this state.",
                    &WebhookDeliveryState::ALL.map(WebhookDeliveryState::as_str),
                )
                .query::<WebhookDeliveryId>("after", "`next` of the page before.")
                .query_number("limit", "Most deliveries of the page.", 1, MAX_LIMIT, DEFAULT_LIMIT)
                .answers::<WebhookDeliveries>("A page of deliveries, newest first."),
        )
        .get(
            "/api/v1/webhooks/{id}/deliveries/{delivery}",
            read_delivery,
            Operation::new("getWebhookDelivery", "Read what became of a delivery")
                .needs("webhooks.manage")
                .path::<WebhookId>("id", "Which endpoint.")
                .path::<WebhookDeliveryId>("delivery", "Which delivery.")
                .answers::<WebhookDeliveryDetail>("The delivery, with each attempt."),
        )
        .post(
            "/api/v1/webhooks/{id}/deliveries/{delivery}/resend",
            resend,
            Operation::new("resendWebhookDelivery", "Send a delivery again")
                .needs("webhooks.manage")
                .path::<WebhookId>("id", "Which endpoint.")
                .path::<WebhookDeliveryId>("delivery", "Which delivery.")
                .answers_with(StatusCode::ACCEPTED, "It is sent.", JSON, Shape::of::<WebhookDeliveryDetail>())
                .gives([Refused]),
        )
}

/// An endpoint with a new secret, which is shown once.
#[derive(Serialize, JsonSchema)]
struct WebhookWithSecret {
    #[serde(flatten)]
    webhook: Webhook,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

async fn with_secret(
    state: &AppState,
    caller: &Caller,
    changed: Changed,
) -> Result<WebhookWithSecret, Error> {
    let webhook = queries::webhook(state, caller, id(&changed.id)?).await?;
    Ok(WebhookWithSecret { webhook, secret: changed.secret })
}

async fn list(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Error> {
    Ok(Json(json!({ "webhooks": queries::webhooks(&state, &caller).await? })))
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(new): JsonBody<NewWebhook>,
) -> Result<Created<WebhookWithSecret>, Error> {
    let made = commands::create(&state, &caller, &origin, new).await?;
    let at = format!("/api/v1/webhooks/{}", made.id);
    Ok(Created { at, body: with_secret(&state, &caller, made).await? })
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Path(webhook): Path<String>,
) -> Result<Json<Webhook>, Error> {
    Ok(Json(queries::webhook(&state, &caller, id(&webhook)?).await?))
}

async fn update(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(webhook): Path<String>,
    JsonBody(patch): JsonBody<WebhookPatch>,
) -> Result<Json<Webhook>, Error> {
    let webhook = id(&webhook)?;
    commands::update(&state, &caller, &origin, webhook, patch).await?;
    Ok(Json(queries::webhook(&state, &caller, webhook).await?))
}

async fn delete(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(webhook): Path<String>,
) -> Result<StatusCode, Error> {
    commands::delete(&state, &caller, &origin, id(&webhook)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SecretRotation {
    #[serde(default = "default_overlap")]
    overlap_hours: u32,
}

const fn default_overlap() -> u32 {
    DEFAULT_OVERLAP_HOURS
}

async fn rotate_secret(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(webhook): Path<String>,
    JsonBody(SecretRotation { overlap_hours }): JsonBody<SecretRotation>,
) -> Result<Json<WebhookWithSecret>, Error> {
    let made = commands::rotate_secret(&state, &caller, &origin, id(&webhook)?, overlap_hours).await?;
    Ok(Json(with_secret(&state, &caller, made).await?))
}

async fn send_test(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path(webhook): Path<String>,
) -> Result<(StatusCode, Json<WebhookDeliveryDetail>), Error> {
    let webhook = id(&webhook)?;
    let sent = commands::send_test(&state, &caller, &origin, webhook).await?;
    let delivery = queries::delivery(&state, &caller, webhook, delivery_id(&sent.id)?).await?;
    Ok((StatusCode::ACCEPTED, Json(delivery)))
}

async fn list_deliveries(
    State(state): State<AppState>,
    caller: Caller,
    Path(webhook): Path<String>,
    query: Query,
) -> Result<Json<WebhookDeliveries>, Error> {
    let limit = u32::try_from(query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?).unwrap_or(u32::MAX - 1);
    let only: Option<WebhookDeliveryState> = query.parse("state")?;
    let after: Option<WebhookDeliveryId> = query.parse("after")?;
    Ok(Json(queries::deliveries(&state, &caller, id(&webhook)?, only, after, limit).await?))
}

async fn read_delivery(
    State(state): State<AppState>,
    caller: Caller,
    Path((webhook, delivery)): Path<(String, String)>,
) -> Result<Json<WebhookDeliveryDetail>, Error> {
    Ok(Json(queries::delivery(&state, &caller, id(&webhook)?, delivery_id(&delivery)?).await?))
}

async fn resend(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    Path((webhook, delivery)): Path<(String, String)>,
) -> Result<(StatusCode, Json<WebhookDeliveryDetail>), Error> {
    let (webhook, delivery) = (id(&webhook)?, delivery_id(&delivery)?);
    commands::resend(&state, &caller, &origin, webhook, delivery).await?;
    Ok((StatusCode::ACCEPTED, Json(queries::delivery(&state, &caller, webhook, delivery).await?)))
}

/// An id of the path; one that is malformed names nothing.
fn id(text: &str) -> Result<WebhookId, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("webhook `{text}`")))
}

fn delivery_id(text: &str) -> Result<WebhookDeliveryId, Error> {
    text.parse().map_err(|_| Error::NotFound(format!("delivery `{text}`")))
}
