//! `/api/v1/api-keys`: keys of services.

use axum::Json;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tidewatch_app::model::{ApiKeyPage, ApiKeyQuery, Changed, ProjectChange};
use tidewatch_events::id::ApiKeyId;

use super::access::{Answer, DEFAULT_LIMIT, MAX_LIMIT, Made, carry_out, id, make, read_limit};
use crate::access::Caller;
use crate::api_documents::{Operation, Routes};
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::http::problem_kind::ProblemKind::Refused;
use crate::http::query::Query;
use crate::queries;
use crate::state::AppState;

/// The address of all keys.
const KEYS: &str = "/api/v1/api-keys";

/// The routes.
pub fn routes() -> Routes {
    Routes::of("API keys")
        .get(
            KEYS,
            list_keys,
            Operation::new("listApiKeys", "List API keys")
                .needs("keys.manage")
                .query::<String>(
                    "q",
                    "Only with each of these words in a name, a scope, who made it or the end of its secret, or of \
                     this id.",
                )
                .query::<ApiKeyId>("after", "`next` of the page before.")
                .query_number("limit", "Most keys of the page.", 1, MAX_LIMIT, DEFAULT_LIMIT)
                .answers::<ApiKeyPage>("A page of keys, newest first, without their secrets."),
        )
        .post(
            KEYS,
            create_key,
            Operation::new("createApiKey", "Make an API key")
                .describe("The answer's `secret` is the key. It is shown once.")
                .needs("keys.manage")
                .body::<NewKey>()
                .for_example(json!({ "name": "Shop", "scopes": ["events.publish"], "expiresInDays": 90 }))
                .creates::<Changed>("It is made.")
                .gives([Refused]),
        )
        .delete(
            "/api/v1/api-keys/{id}",
            delete_key,
            Operation::new("deleteApiKey", "Delete an API key")
                .describe("It counts no longer, and every connection on its word is told and ended.")
                .needs("keys.manage")
                .path::<ApiKeyId>("id", "Which.")
                .answers::<Changed>("It is deleted."),
        )
        .post(
            "/api/v1/api-keys/{id}/rotate",
            rotate_key,
            Operation::new("rotateApiKey", "Make a key that takes another's place")
                .describe("The answer's `secret` is the new key. It is shown once.")
                .needs("keys.manage")
                .path::<ApiKeyId>("id", "Which.")
                .body::<Rotation>()
                .for_example(json!({ "overlapHours": 24 }))
                .creates::<Changed>("It is made.")
                .gives([Refused]),
        )
}

async fn list_keys(
    State(state): State<AppState>,
    caller: Caller,
    query: Query,
) -> Result<Json<ApiKeyPage>, Error> {
    let limit = read_limit(&query)?;
    let wanted = ApiKeyQuery { q: query.get("q").map(ToOwned::to_owned), after: query.parse("after")? };
    Ok(Json(queries::api_keys(&state, &caller, &wanted, limit).await?))
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewKey {
    name: String,
    scopes: Vec<String>,
    #[serde(default)]
    expires_in_days: Option<u32>,
}

async fn create_key(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    JsonBody(NewKey { name, scopes, expires_in_days }): JsonBody<NewKey>,
) -> Made {
    let change = ProjectChange::CreateApiKey { name, scopes, expires_in_days };
    make(&state, &caller, origin, KEYS, change).await
}

async fn delete_key(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    Path(key): Path<String>,
) -> Answer {
    carry_out(&state, &caller, origin, ProjectChange::DeleteApiKey { id: id(&key)? }).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Rotation {
    overlap_hours: u32,
}

async fn rotate_key(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    Path(key): Path<String>,
    JsonBody(Rotation { overlap_hours }): JsonBody<Rotation>,
) -> Made {
    let id: ApiKeyId = id(&key)?;
    make(&state, &caller, origin, KEYS, ProjectChange::RotateApiKey { id, overlap_hours }).await
}
