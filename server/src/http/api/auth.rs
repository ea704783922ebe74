//! `/api/v1/auth`: access tokens for people who use the API.

use axum::Json;
use axum::extract::State;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tidewatch_events::ProjectId;
use tidewatch_events::id::UserId;
use tidewatch_outbox::begin_whole;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::access::login::{self, Login, LoginOrigin};
use crate::access::secret::new_refresh_token;
use crate::access::token::{ACCESS_LIFE, REFRESH_LIFE};
use crate::api_documents::{Operation, Routes};
use crate::db;
use crate::db::tokens::RefreshUse;
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::problem_kind::ProblemKind;
use crate::state::AppState;

/// The routes.
pub fn routes() -> Routes {
    const OVER: &str = "No store: the answer has secrets.";
    Routes::of("Authentication")
        .post(
            "/api/v1/auth/token",
            token,
            Operation::new("createToken", "Sign in")
                .describe(
                    "An access token for e-mail and password, and a refresh token to get the next one with.",
                )
                .open()
                .body::<Credentials>()
                .for_example(json!({ "email": "ada@example.com", "password": "what only Ada knows" }))
                .answers::<TokenAnswer>("The tokens.")
                .with_header("Cache-Control", OVER)
                .gives([ProblemKind::Unauthenticated, ProblemKind::TooManyAttempts]),
        )
        .post(
            "/api/v1/auth/refresh",
            refresh,
            Operation::new("refreshToken", "Get the next access token")
                .describe("A refresh token counts once. Used again, its login is ended: somebody has a copy.")
                .open()
                .body::<RefreshRequest>()
                .for_example(json!({ "refreshToken": "twr_…" }))
                .answers::<TokenAnswer>("The tokens.")
                .with_header("Cache-Control", OVER)
                .gives([ProblemKind::Unauthenticated]),
        )
        .post(
            "/api/v1/auth/revoke",
            revoke,
            Operation::new("revokeToken", "Sign out")
                .describe("Ends a login by its refresh token (RFC 7009).")
                .open()
                .body::<RefreshRequest>()
                .for_example(json!({ "refreshToken": "twr_…" }))
                .answers_nothing(StatusCode::NO_CONTENT, "There is no such login any more."),
        )
}

/// What signs in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Credentials {
    email: String,
    #[schemars(with = "String")]
    password: SecretString,
    /// Slug of the project; without it, the one that the person joined first.
    #[serde(default)]
    project: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RefreshRequest {
    #[schemars(with = "String")]
    refresh_token: SecretString,
}

/// What a login gives. Its secrets are written here and nowhere else.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct TokenAnswer {
    access_token: String,
    refresh_token: String,
    token_type: &'static str,
    /// Seconds.
    expires_in: i64,
}

type Answer = ([(http::HeaderName, HeaderValue); 1], Json<TokenAnswer>);

async fn token(
    State(state): State<AppState>,
    origin: LoginOrigin,
    JsonBody(credentials): JsonBody<Credentials>,
) -> Result<Answer, Error> {
    const WRONG: Error = Error::Unauthenticated("the e-mail address or the password is wrong");
    let user = match login::check(&state, credentials.email.trim(), credentials.password, &origin).await? {
        Login::Right(user) => user,
        Login::Wrong => return Err(WRONG),
        Login::Throttled(wait) => return Err(Error::throttled(wait)),
    };
    let mut transaction = begin_whole(&state.access, "begin").await?;
    let member = db::users::find_member(&mut transaction, user, credentials.project.as_deref())
        .await?
        .ok_or(Error::Unauthenticated("this account is not in that project, or in none"))?;
    let project = ProjectId::from_uuid(member.project_id);
    let until = OffsetDateTime::now_utc() + REFRESH_LIFE;
    let family = db::tokens::insert_family(&mut transaction, project, user, &origin.client, until).await?;
    let refresh_token = new_refresh(&state, &mut transaction, family).await?;
    transaction.commit().await?;
    answer(&state, user, project, family, &refresh_token)
}

async fn refresh(
    State(state): State<AppState>,
    JsonBody(request): JsonBody<RefreshRequest>,
) -> Result<Answer, Error> {
    let digest = state.digester.refresh_token(request.refresh_token.expose_secret());
    let mut transaction = begin_whole(&state.access, "begin").await?;
    let family = match db::tokens::use_refresh(&mut transaction, &digest).await? {
        RefreshUse::Current(family) => family,
        RefreshUse::Reused => {
            transaction.commit().await?;
            return Err(Error::Unauthenticated(
                "this refresh token was used before: somebody has a copy, and the login was ended. Sign in again",
            ));
        }
        RefreshUse::Unknown => {
            return Err(Error::Unauthenticated("this refresh token is unknown, or its login has ended"));
        }
    };
    let (user, project) = (UserId::from_uuid(family.user_id), ProjectId::from_uuid(family.project_id));
    let is_member =
        !db::users::find_members(&mut transaction, std::iter::once((user, project))).await?.is_empty();
    if !is_member {
        return Err(Error::Unauthenticated("this account is no longer in the project"));
    }
    let refresh_token = new_refresh(&state, &mut transaction, family.id).await?;
    transaction.commit().await?;
    answer(&state, user, project, family.id, &refresh_token)
}

/// Ends a login by its refresh token ([RFC 7009](https://www.rfc-editor.org/rfc/rfc7009)): 204
/// whether or not there was one.
async fn revoke(
    State(state): State<AppState>,
    JsonBody(request): JsonBody<RefreshRequest>,
) -> Result<StatusCode, Error> {
    let digest = state.digester.refresh_token(request.refresh_token.expose_secret());
    db::tokens::end_family_of(&mut *state.access.acquire().await?, &digest).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn new_refresh(
    state: &AppState,
    connection: &mut sqlx::PgConnection,
    family: Uuid,
) -> Result<SecretString, Error> {
    let token = new_refresh_token();
    db::tokens::insert_refresh(connection, family, &state.digester.refresh_token(token.expose_secret()))
        .await?;
    Ok(token)
}

fn answer(
    state: &AppState,
    user: UserId,
    project: ProjectId,
    family: Uuid,
    refresh_token: &SecretString,
) -> Result<Answer, Error> {
    let access_token = state
        .tokens
        .sign(user, project, family, OffsetDateTime::now_utc())
        .map_err(|error| Error::Internal(error.to_string()))?;
    let body = TokenAnswer {
        access_token: access_token.expose_secret().to_owned(),
        refresh_token: refresh_token.expose_secret().to_owned(),
        token_type: "Bearer",
        expires_in: ACCESS_LIFE.whole_seconds(),
    };
    Ok(([(CACHE_CONTROL, HeaderValue::from_static("no-store"))], Json(body)))
}
