//! People, roles, organizations, keys, sessions and the project: the same changes as on the pages,
//! under one URL a thing.

use axum::extract::{Path, State};
use axum::routing::{delete, get, patch, post, put};
use axum::{Json, Router};
use http::StatusCode;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidewatch_app::model::{Changed, Organization, ProjectChange};
use tidewatch_events::Permission;
use tidewatch_events::id::{ApiKeyId, OrganizationId};

use crate::access::Caller;
use crate::access::login::LoginOrigin;
use crate::commands::{change_project, password};
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::queries;
use crate::state::AppState;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/project", get(read_project).patch(rename_project))
        .route("/api/v1/people", get(list_people))
        .route("/api/v1/people/{id}", patch(set_person).delete(remove_person))
        .route("/api/v1/invitations", get(list_invitations).post(invite))
        .route("/api/v1/invitations/{id}", delete(cancel_invitation))
        .route("/api/v1/roles", get(list_roles))
        .route("/api/v1/roles/{name}", put(save_role).delete(delete_role))
        .route("/api/v1/organizations", get(list_organizations).post(create_organization))
        .route("/api/v1/organizations/{id}", patch(rename_organization))
        .route("/api/v1/api-keys", get(list_keys).post(create_key))
        .route("/api/v1/api-keys/{id}", delete(delete_key))
        .route("/api/v1/api-keys/{id}/rotate", post(rotate_key))
        .route("/api/v1/sessions", get(list_sessions).delete(end_other_sessions))
        .route("/api/v1/sessions/{id}", delete(end_session))
        .route("/api/v1/auth/password", post(change_password))
}

/// An id of the path; one that is malformed names nothing.
fn id<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|error| Error::NotFound(format!("thing `{text}`: an id {error}")))
}

type Answer = Result<Json<Changed>, Error>;
type Made = Result<(StatusCode, Json<Changed>), Error>;

async fn carry_out(state: &AppState, caller: &Caller, origin: ReadOrigin, change: ProjectChange) -> Answer {
    change_project(state, caller, change, &origin.0).await.map(Json)
}

async fn make(state: &AppState, caller: &Caller, origin: ReadOrigin, change: ProjectChange) -> Made {
    let made = change_project(state, caller, change, &origin.0).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// The project that the caller works in, and what they may there.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ProjectJson {
    id: tidewatch_events::ProjectId,
    slug: String,
    name: String,
    permissions: Vec<String>,
}

async fn read_project(State(state): State<AppState>, caller: Caller) -> Result<Json<ProjectJson>, Error> {
    let project = crate::db::projects::find(&mut *state.access.acquire().await?, caller.project())
        .await?
        .ok_or_else(|| Error::NotFound("such project".to_owned()))?;
    let held = state.modules.permissions().into_iter().filter(|permission| caller.may(permission));
    Ok(Json(ProjectJson {
        id: caller.project(),
        slug: project.slug,
        name: project.name,
        permissions: held.map(|permission| permission.to_string()).collect(),
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    name: String,
}

async fn rename_project(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    JsonBody(Name { name }): JsonBody<Name>,
) -> Answer {
    carry_out(&state, &caller, origin, ProjectChange::RenameProject { name }).await
}

async fn list_people(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Error> {
    Ok(Json(json!({ "people": queries::people(&state, &caller).await?.people })))
}

/// What of a person is changed; what is not there stays as it is.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PersonPatch {
    #[serde(default)]
    roles: Option<Vec<String>>,
    #[serde(default)]
    organizations: Option<Vec<OrganizationId>>,
    #[serde(default)]
    disabled: Option<bool>,
}

async fn set_person(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    Path(person): Path<String>,
    JsonBody(patch): JsonBody<PersonPatch>,
) -> Answer {
    let id = id(&person)?;
    match patch {
        PersonPatch { roles: None, organizations: None, disabled: Some(disabled) } => {
            carry_out(&state, &caller, origin, ProjectChange::SetDisabled { id, disabled }).await
        }
        PersonPatch { disabled: None, roles: None, organizations: None } => {
            Err(Error::field("", "must say roles, organizations or disabled"))
        }
        PersonPatch { disabled: Some(_), .. } => {
            Err(Error::field("disabled", "is changed by itself, not together with what a person is"))
        }
        PersonPatch { roles, organizations, disabled: None } => {
            let people = queries::people(&state, &caller).await?.people;
            let now = people
                .into_iter()
                .find(|known| known.id == id)
                .ok_or_else(|| Error::NotFound(format!("person {id}")))?;
            let change = ProjectChange::SetPerson {
                id,
                roles: roles.unwrap_or(now.roles),
                organizations: organizations.unwrap_or(now.organizations),
            };
            carry_out(&state, &caller, origin, change).await
        }
    }
}

async fn remove_person(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    Path(person): Path<String>,
) -> Answer {
    carry_out(&state, &caller, origin, ProjectChange::RemovePerson { id: id(&person)? }).await
}

async fn list_invitations(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Error> {
    caller.require_manager(&Permission::PEOPLE_MANAGE)?;
    Ok(Json(json!({ "invitations": queries::people(&state, &caller).await?.invitations })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewInvitation {
    email: String,
    roles: Vec<String>,
    #[serde(default)]
    organizations: Vec<OrganizationId>,
}

async fn invite(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    JsonBody(new): JsonBody<NewInvitation>,
) -> Made {
    let NewInvitation { email, roles, organizations } = new;
    make(&state, &caller, origin, ProjectChange::InvitePerson { email, roles, organizations }).await
}

async fn cancel_invitation(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    Path(invitation): Path<String>,
) -> Answer {
    carry_out(&state, &caller, origin, ProjectChange::CancelInvitation { id: id(&invitation)? }).await
}

async fn list_roles(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Error> {
    Ok(Json(json!({ "roles": queries::people(&state, &caller).await?.roles })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RoleBody {
    title: String,
    permissions: Vec<String>,
    #[serde(default)]
    own_only: bool,
}

async fn save_role(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    Path(name): Path<String>,
    JsonBody(RoleBody { title, permissions, own_only }): JsonBody<RoleBody>,
) -> Answer {
    carry_out(&state, &caller, origin, ProjectChange::SaveRole { name, title, permissions, own_only }).await
}

async fn delete_role(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    Path(name): Path<String>,
) -> Answer {
    carry_out(&state, &caller, origin, ProjectChange::DeleteRole { name }).await
}

async fn list_organizations(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Error> {
    let organizations: Vec<Organization> = queries::organizations(&state, &caller).await?;
    Ok(Json(json!({ "organizations": organizations })))
}

async fn create_organization(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    JsonBody(Name { name }): JsonBody<Name>,
) -> Made {
    make(&state, &caller, origin, ProjectChange::CreateOrganization { name }).await
}

async fn rename_organization(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    Path(organization): Path<String>,
    JsonBody(Name { name }): JsonBody<Name>,
) -> Answer {
    let id = id(&organization)?;
    carry_out(&state, &caller, origin, ProjectChange::RenameOrganization { id, name }).await
}

async fn list_keys(State(state): State<AppState>, caller: Caller) -> Result<Json<Value>, Error> {
    Ok(Json(json!({ "apiKeys": queries::api_keys(&state, &caller).await? })))
}

#[derive(Deserialize)]
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
    make(&state, &caller, origin, ProjectChange::CreateApiKey { name, scopes, expires_in_days }).await
}

async fn delete_key(
    State(state): State<AppState>,
    caller: Caller,
    origin: ReadOrigin,
    Path(key): Path<String>,
) -> Answer {
    carry_out(&state, &caller, origin, ProjectChange::DeleteApiKey { id: id(&key)? }).await
}

#[derive(Deserialize)]
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
    make(&state, &caller, origin, ProjectChange::RotateApiKey { id, overlap_hours }).await
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewPassword {
    current_password: SecretString,
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
