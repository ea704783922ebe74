//! `/api/v1/sessions` and `/api/v1/auth/password`: one's own logins and password.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tidewatch_app::model::{Changed, ProjectChange, Session};
use tidewatch_events::id::SessionId;

use super::access::{Answer, carry_out, id};
use crate::access::Caller;
use crate::access::login::LoginOrigin;
use crate::api_documents::{Operation, Routes};
use crate::commands::password;
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::http::problem_kind::ProblemKind::{PersonsOnly, TooManyAttempts};
use crate::queries;
use crate::state::AppState;

/// The routes.
pub fn routes() -> Routes {
    Routes::of("Authentication")
        .get(
            "/api/v1/sessions",
            list_sessions,
            Operation::new("listSessions", "List one's own logins")
                .lists::<Session>("sessions", "The logins.")
                .for_persons(PersonsOnly),
        )
        .delete(
            "/api/v1/sessions",
            end_other_sessions,
            Operation::new("endOtherSessions", "End all other logins of one's own")
                .answers::<Changed>("They are ended.")
                .for_persons(PersonsOnly),
        )
        .delete(
            "/api/v1/sessions/{id}",
            end_session,
            Operation::new("endSession", "End a login of one's own")
                .path::<SessionId>("id", "Which.")
                .answers::<Changed>("It is ended.")
                .for_persons(PersonsOnly),
        )
        .post(
            "/api/v1/auth/password",
            change_password,
            Operation::new("changePassword", "Change one's own password")
                .body::<NewPassword>()
                .for_example(
                    json!({ "currentPassword": "what it was", "newPassword": "a long one of your own" }),
                )
                .answers_nothing(StatusCode::NO_CONTENT, "It is changed.")
                .for_persons(PersonsOnly)
                .gives([TooManyAttempts]),
        )
}

async fn list_sessions(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Error> {
    Ok(Json(json!({ "sessions": queries::sessions(&state, &caller).await? })))
}

async fn end_session(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    Path(session): Path<String>,
) -> Answer {
    carry_out(&state, &caller, origin, ProjectChange::EndSession { id: id(&session)? }).await
}

async fn end_other_sessions(State(state): State<AppState>, caller: Caller, origin: ReadOrigin) -> Answer {
    carry_out(&state, &caller, origin, ProjectChange::EndOtherSessions).await
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewPassword {
    #[schemars(with = "String")]
    current_password: SecretString,
    #[schemars(with = "String")]
    new_password: SecretString,
}

async fn change_password(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    from: LoginOrigin,
    JsonBody(body): JsonBody<NewPassword>,
) -> Result<StatusCode, Error> {
    password::change(&state, &caller, &origin.0, &from, body.current_password, body.new_password).await?;
    Ok(StatusCode::NO_CONTENT)
}
