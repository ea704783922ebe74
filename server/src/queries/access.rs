//! People, roles, keys, sessions and the audit log.

use std::collections::BTreeMap;

use tidewatch_app::model::{ApiKey, AuditEntry, AuditPage, AuditQuery, Organization, People, Role, Session};
use tidewatch_events::id::{AuditEntryId, OrganizationId};
use tidewatch_events::{Permission, PermissionSet};

use super::cut_page;
use crate::access::Caller;
use crate::access::roles::{BUILT_IN, Reach};
use crate::commands::sessions::{own_login, person};
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// Entries of one page of the audit log.
pub const AUDIT_PAGE: u32 = 50;

/// Who is in the project, and as what.
///
/// # Errors
/// 403 without `users.read`; customers of the project see none of each other.
pub async fn people(state: &AppState, caller: &Caller) -> Result<People, Error> {
    caller.require_manager(&Permission::USERS_READ)?;
    let project = caller.project();
    let mut snapshot = db::begin_snapshot(&state.pool, project).await?;
    let may_manage = caller.may(&Permission::PEOPLE_MANAGE);
    let people = db::people::list(&mut snapshot, project, None).await?;
    let invitations =
        if may_manage { db::invitations::list(&mut snapshot, project).await? } else { Vec::new() };
    let members: BTreeMap<String, i64> =
        db::roles::count_members(&mut snapshot, project).await?.into_iter().collect();
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
    let custom = db::roles::list(&mut snapshot, project).await?;
    let custom = custom.into_iter().map(|role| Role {
        members: count(&role.name),
        name: role.name,
        title: role.title,
        description: String::new(),
        permissions: role.permissions,
        project_wide: role.project_wide,
        built_in: false,
    });
    let roles = built_in.chain(custom).collect();
    let organizations = organizations_of(&mut snapshot, caller).await?;
    let permissions = state.modules.permissions().iter().map(ToString::to_string).collect();
    Ok(People { people, invitations, roles, organizations, permissions })
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

/// The project's API keys.
///
/// # Errors
/// 403 without `keys.manage`.
pub async fn api_keys(state: &AppState, caller: &Caller) -> Result<Vec<ApiKey>, Error> {
    caller.require_manager(&Permission::KEYS_MANAGE)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    Ok(db::api_keys::list(&mut snapshot, caller.project(), None).await?)
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
