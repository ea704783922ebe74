//! People, roles, organizations and the project: the same changes as on the pages,
//! under one URL a thing.

use axum::Json;
use axum::extract::{Path, State};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tidewatch_app::model::{Changed, Invitation, Organization, PeopleQuery, PersonPage, ProjectChange, Role};
use tidewatch_events::id::{InvitationId, OrganizationId, UserId};

use crate::access::Caller;
use crate::api_documents::{Operation, Routes};
use crate::commands::change_project;
use crate::error::Error;
use crate::http::created::Created;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::http::problem_kind::ProblemKind::Refused;
use crate::http::query::Query;
use crate::queries;
use crate::state::AppState;

/// Most people or keys of one page.
pub(super) const MAX_LIMIT: u64 = 1_000;
/// So many where nobody asked for another number: those who ask for all at once have all, but for the largest projects.
pub(super) const DEFAULT_LIMIT: u64 = 500;

/// The routes.
pub fn routes() -> Routes {
    Routes::of("People and roles")
        .get(
            "/api/v1/project",
            read_project,
            Operation::new("getProject", "Read the project")
                .describe("The project that the caller works in, and the built-in permissions that they have there.")
                .answers::<ProjectJson>("The project."),
        )
        .patch(
            "/api/v1/project",
            rename_project,
            Operation::new("renameProject", "Rename the project")
                .needs("project.manage")
                .body::<Name>()
                .for_example(json!({ "name": "Harbour" }))
                .answers::<Changed>("It is renamed."),
        )
        .get(
            "/api/v1/people",
            list_people,
            Operation::new("listPeople", "List people")
                .needs("users.read")
                .query::<String>("q", "Only with each of these words in a name, an address or a role, or of this id.")
                .query::<String>("after", "`next` of the page before.")
                .query_number("limit", "Most people of the page.", 1, MAX_LIMIT, DEFAULT_LIMIT)
                .answers::<PersonPage>("A page of people, by name."),
        )
        .patch(
            "/api/v1/people/{id}",
            set_person,
            Operation::new("updatePerson", "Change what a person is")
                .describe("`disabled` is changed by itself, not together with what a person is.")
                .needs("people.manage")
                .path::<UserId>("id", "Who.")
                .body::<PersonPatch>()
                .for_example(json!({ "roles": ["operator"] }))
                .answers::<Changed>("It is changed.")
                .gives([Refused]),
        )
        .delete(
            "/api/v1/people/{id}",
            remove_person,
            Operation::new("removePerson", "End a person's membership")
                .needs("people.manage")
                .path::<UserId>("id", "Who.")
                .answers::<Changed>("The membership has ended.")
                .gives([Refused]),
        )
        .get(
            "/api/v1/invitations",
            list_invitations,
            Operation::new("listInvitations", "List invitations")
                .needs("people.manage")
                .lists::<Invitation>("invitations", "The invitations that nobody has taken yet."),
        )
        .post(
            "/api/v1/invitations",
            invite,
            Operation::new("createInvitation", "Invite somebody")
                .describe("The answer's `secret` is the path of the link. It is shown once.")
                .needs("people.manage")
                .body::<NewInvitation>()
                .for_example(json!({ "email": "grace@example.com", "roles": ["viewer"] }))
                .creates::<Changed>("They are invited.")
                .gives([Refused]),
        )
        .delete(
            "/api/v1/invitations/{id}",
            cancel_invitation,
            Operation::new("cancelInvitation", "Take an invitation back")
                .needs("people.manage")
                .path::<InvitationId>("id", "Which.")
                .answers::<Changed>("It is taken back."),
        )
        .get(
            "/api/v1/roles",
            list_roles,
            Operation::new("listRoles", "List roles").needs("users.read").lists::<Role>("roles", "The roles."),
        )
        .put(
            "/api/v1/roles/{name}",
            save_role,
            Operation::new("saveRole", "Make a role, or say anew what it is")
                .needs("people.manage")
                .path::<String>("name", "Its name.")
                .body::<RoleBody>()
                .for_example(json!({ "title": "Night shift", "permissions": ["incidents.read", "incidents.act"] }))
                .answers::<Changed>("It is saved.")
                .gives([Refused]),
        )
        .delete(
            "/api/v1/roles/{name}",
            delete_role,
            Operation::new("deleteRole", "Delete a role that nobody has")
                .needs("people.manage")
                .path::<String>("name", "Its name.")
                .answers::<Changed>("It is deleted.")
                .gives([Refused]),
        )
        .get(
            "/api/v1/organizations",
            list_organizations,
            Operation::new("listOrganizations", "List organizations")
                .needs("users.read")
                .lists::<Organization>("organizations", "The organizations."),
        )
        .post(
            "/api/v1/organizations",
            create_organization,
            Operation::new("createOrganization", "Make an organization")
                .needs("project.manage")
                .body::<Name>()
                .for_example(json!({ "name": "Hanse Housing" }))
                .creates::<Changed>("It is made.")
                .gives([Refused]),
        )
        .patch(
            "/api/v1/organizations/{id}",
            rename_organization,
            Operation::new("renameOrganization", "Rename an organization")
                .needs("project.manage")
                .path::<OrganizationId>("id", "Which.")
                .body::<Name>()
                .for_example(json!({ "name": "Hanse Homes" }))
                .answers::<Changed>("It is renamed.")
                .gives([Refused]),
        )
}

/// An id of the path; one that is malformed names nothing.
pub(super) fn id<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<T, Error> {
    text.parse().map_err(|error| Error::NotFound(format!("thing `{text}`: an id {error}")))
}

pub(super) type Answer = Result<Json<Changed>, Error>;
pub(super) type Made = Result<Created<Changed>, Error>;

pub(super) async fn carry_out(
    state: &AppState,
    caller: &Caller,
    origin: ReadOrigin,
    change: ProjectChange,
) -> Answer {
    change_project(state, caller, change, &origin.0).await.map(Json)
}

/// `among` is the address of the list that what is made is in.
pub(super) async fn make(
    state: &AppState,
    caller: &Caller,
    origin: ReadOrigin,
    among: &str,
    change: ProjectChange,
) -> Made {
    let made = change_project(state, caller, change, &origin.0).await?;
    Ok(Created { at: format!("{among}/{}", made.id), body: made })
}

/// The project that the caller works in, and what they may there.
#[derive(Serialize, JsonSchema)]
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

#[derive(Deserialize, JsonSchema)]
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

async fn list_people(
    State(state): State<AppState>,
    caller: Caller,
    query: Query,
) -> Result<Json<PersonPage>, Error> {
    let limit = read_limit(&query)?;
    let wanted = PeopleQuery {
        q: query.get("q").map(ToOwned::to_owned),
        after: query.get("after").map(ToOwned::to_owned),
    };
    Ok(Json(queries::person_page(&state, &caller, &wanted, limit).await?))
}

/// How many people or keys a page has at most.
pub(super) fn read_limit(query: &Query) -> Result<u32, Error> {
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    Ok(u32::try_from(limit).unwrap_or(u32::MAX - 1))
}

/// What of a person is changed; what is not there stays as it is.
#[derive(Deserialize, JsonSchema)]
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
            let alone = PeopleQuery { q: Some(id.to_string()), after: None };
            let now = queries::person_page(&state, &caller, &alone, 1).await?.people.pop();
            let now = now.ok_or_else(|| Error::NotFound(format!("person {id}")))?;
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
    Ok(Json(json!({ "invitations": queries::invitations(&state, &caller).await? })))
}

#[derive(Deserialize, JsonSchema)]
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
    let change = ProjectChange::InvitePerson { email, roles, organizations };
    make(&state, &caller, origin, "/api/v1/invitations", change).await
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
    Ok(Json(json!({ "roles": queries::roles(&state, &caller).await? })))
}

#[derive(Deserialize, JsonSchema)]
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
    let change = ProjectChange::CreateOrganization { name };
    make(&state, &caller, origin, "/api/v1/organizations", change).await
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
