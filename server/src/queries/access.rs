//! People, roles, keys, sessions and the audit log.

use std::collections::BTreeMap;
use std::str::FromStr;

use tidewatch_app::model::{
    ApiKeyPage, ApiKeyQuery, AuditEntry, AuditPage, AuditQuery, Invitation, Organization, People,
    PeopleQuery, PersonPage, Role, Session,
};
use tidewatch_events::id::{ApiKeyId, AuditEntryId, OrganizationId, UserId};
use tidewatch_events::{Permission, PermissionSet};
use uuid::Uuid;

use super::cut_page;
use crate::access::Caller;
use crate::access::roles::{BUILT_IN, Reach};
use crate::commands::sessions::{own_login, person};
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// Entries of one page of the audit log.
pub const AUDIT_PAGE: u32 = 50;

/// A page of who is in the project, by name.
///
/// # Errors
/// 403 without `users.read`; customers of the project see none of each other.
pub async fn person_page(
    state: &AppState,
    caller: &Caller,
    query: &PeopleQuery,
    limit: u32,
) -> Result<PersonPage, Error> {
    caller.require_manager(&Permission::USERS_READ)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    person_page_of(&mut snapshot, caller, query, limit).await
}

async fn person_page_of(
    connection: &mut sqlx::PgConnection,
    caller: &Caller,
    query: &PeopleQuery,
    limit: u32,
) -> Result<PersonPage, Error> {
    let (words, ids) = words_and_ids(query.q.as_deref(), UserId::uuid);
    let after = query.after.as_deref().map(read_place).transpose()?;
    let mut people = db::people::page(connection, caller.project(), &words, &ids, after, limit + 1).await?;
    // By name as well: who is a page's last may be out of the project before the following one is asked for.
    let next = cut_page(&mut people, limit, |last| format!("{}:{}", last.id, last.name));
    Ok(PersonPage { people, next })
}

fn read_place(after: &str) -> Result<(UserId, &str), Error> {
    after
        .split_once(':')
        .and_then(|(id, name)| Some((id.parse().ok()?, name)))
        .ok_or_else(|| Error::parameter("after", "is not the `next` of a page"))
}

/// What somebody looks for: words in small letters, and those that are ids.
fn words_and_ids<Id: FromStr>(q: Option<&str>, uuid: fn(Id) -> Uuid) -> (Vec<String>, Vec<Uuid>) {
    let (mut words, mut ids) = (Vec::new(), Vec::new());
    for word in q.unwrap_or_default().split_whitespace() {
        match word.parse() {
            Ok(id) => ids.push(uuid(id)),
            Err(_) => words.push(word.to_lowercase()),
        }
    }
    (words, ids)
}

/// A page of who is in the project, with the roles, organizations and invitations there are.
///
/// # Errors
/// 403 without `users.read`; customers of the project see none of each other.
pub async fn people(
    state: &AppState,
    caller: &Caller,
    query: &PeopleQuery,
    limit: u32,
) -> Result<People, Error> {
    caller.require_manager(&Permission::USERS_READ)?;
    let project = caller.project();
    let mut snapshot = db::begin_snapshot(&state.pool, project).await?;
    let may_manage = caller.may(&Permission::PEOPLE_MANAGE);
    let PersonPage { people, next } = person_page_of(&mut snapshot, caller, query, limit).await?;
    let invitations =
        if may_manage { db::invitations::list(&mut snapshot, project).await? } else { Vec::new() };
    let roles = roles_of(&mut snapshot, caller).await?;
    let organizations = organizations_of(&mut snapshot, caller).await?;
    let permissions = state.modules.permissions().iter().map(ToString::to_string).collect();
    Ok(People { people, next, invitations, roles, organizations, permissions })
}

/// Who was asked to join the project, and has not yet.
///
/// # Errors
/// 403 without `people.manage`.
pub async fn invitations(state: &AppState, caller: &Caller) -> Result<Vec<Invitation>, Error> {
    caller.require_manager(&Permission::PEOPLE_MANAGE)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    Ok(db::invitations::list(&mut snapshot, caller.project()).await?)
}

/// The project's roles, those that all projects have first.
///
/// # Errors
/// 403 without `users.read`.
pub async fn roles(state: &AppState, caller: &Caller) -> Result<Vec<Role>, Error> {
    caller.require_manager(&Permission::USERS_READ)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    roles_of(&mut snapshot, caller).await
}

async fn roles_of(connection: &mut sqlx::PgConnection, caller: &Caller) -> Result<Vec<Role>, Error> {
    let project = caller.project();
    let members: BTreeMap<String, i64> =
        db::roles::count_members(connection, project).await?.into_iter().collect();
    let count = |name: &str| members.get(name).map_or(0, |count| count.unsigned_abs());
    let built_in = BUILT_IN.iter().map(|role| Role {
        name: role.name.to_owned(),
        title: role.title.to_owned(),
        description: role.description.to_owned(),
        permissions: names_of(&role.permissions()),
        project_wide: role.reach == Reach::Project,
        built_in: true,
        members: count(role.name),
    });
    let custom = db::roles::list(connection, project).await?;
    let custom = custom.into_iter().map(|role| Role {
        members: count(&role.name),
        name: role.name,
        title: role.title,
        description: String::new(),
        permissions: role.permissions,
        project_wide: role.project_wide,
        built_in: false,
    });
    Ok(built_in.chain(custom).collect())
}

fn names_of(permissions: &PermissionSet) -> Vec<String> {
    match permissions {
        PermissionSet::All => vec!["*".to_owned()],
        PermissionSet::Named(named) => named.iter().map(ToString::to_string).collect(),
    }
}

/// The project's organizations.
///
/// # Errors
/// 403 without `users.read`.
pub async fn organizations(state: &AppState, caller: &Caller) -> Result<Vec<Organization>, Error> {
    caller.require_manager(&Permission::USERS_READ)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    organizations_of(&mut snapshot, caller).await
}

async fn organizations_of(
    connection: &mut sqlx::PgConnection,
    caller: &Caller,
) -> Result<Vec<Organization>, Error> {
    let rows = db::organizations::list(connection, caller.project()).await?;
    Ok(rows
        .into_iter()
        .map(|row| Organization {
            id: OrganizationId::from_uuid(row.id),
            name: row.name,
            members: row.members.unsigned_abs(),
        })
        .collect())
}

/// A page of the project's API keys, newest first.
///
/// # Errors
/// 403 without `keys.manage`.
pub async fn api_keys(
    state: &AppState,
    caller: &Caller,
    query: &ApiKeyQuery,
    limit: u32,
) -> Result<ApiKeyPage, Error> {
    caller.require_manager(&Permission::KEYS_MANAGE)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let (words, ids) = words_and_ids(query.q.as_deref(), ApiKeyId::uuid);
    let project = caller.project();
    let mut api_keys =
        db::api_keys::page(&mut snapshot, project, &words, &ids, query.after, limit + 1).await?;
    let next = cut_page(&mut api_keys, limit, |last| last.id);
    Ok(ApiKeyPage { api_keys, next })
}

/// The caller's own logins.
///
/// # Errors
/// 409 for a key, which is no person.
pub async fn sessions(state: &AppState, caller: &Caller) -> Result<Vec<Session>, Error> {
    let user = person(caller)?;
    let (session, family) = own_login(caller);
    Ok(db::sessions::of_user(&mut *state.access.acquire().await?, user, session, family).await?)
}

/// A page of the audit log.
///
/// # Errors
/// 403 without `audit.view`.
pub async fn audit(
    state: &AppState,
    caller: &Caller,
    query: &AuditQuery,
    limit: u32,
) -> Result<AuditPage, Error> {
    caller.require_manager(&Permission::AUDIT_VIEW)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let mut entries = db::audit::list(&mut snapshot, caller.project(), query, limit + 1).await?;
    let next = cut_page(&mut entries, limit, |entry| entry.id);
    Ok(AuditPage { entries, next })
}

/// One entry of the audit log.
///
/// # Errors
/// 403 without `audit.view`, 404.
pub async fn audit_entry(state: &AppState, caller: &Caller, id: AuditEntryId) -> Result<AuditEntry, Error> {
    caller.require_manager(&Permission::AUDIT_VIEW)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    db::audit::find(&mut snapshot, caller.project(), id)
        .await?
        .ok_or_else(|| Error::NotFound(format!("audit entry {id}")))
}
