//! People of a project: asking them in, saying what they are, keeping them out.

use serde_json::json;
use sqlx::PgConnection;
use tidewatch_app::model::{Changed, Person};
use tidewatch_events::catalog::access::UserUpdated;
use tidewatch_events::id::{InvitationId, OrganizationId, UserId};
use tidewatch_events::{NewEvent, Permission, PermissionSet, SubjectRef};
use tidewatch_outbox::OutboxTransaction;
use time::{Duration, OffsetDateTime};

use super::Origin;
use super::audit::{Change, note};
use crate::access::Caller;
use crate::access::roles::{self, CustomRole};
use crate::access::secret::new_invitation;
use crate::db;
use crate::db::invitations::NewInvitation;
use crate::error::Error;
use crate::state::AppState;

/// How long an invitation's link counts.
const INVITATION_LIFE: Duration = Duration::days(7);
/// Most roles of one person.
const MAX_ROLES: usize = 20;
/// Most organizations of one person in a project.
const MAX_ORGANIZATIONS: usize = 100;
/// The role that a project never is without.
const ADMIN: &str = "admin";

/// Asks somebody to join the project.
///
/// # Errors
/// 403, 409 when they are in it already, 422 for an address, a role or an organization that will not
/// do.
pub async fn invite(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    email: &str,
    roles: Vec<String>,
    organizations: Vec<OrganizationId>,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::PEOPLE_MANAGE)?;
    check_email(email)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let (roles, organizations) = check(&mut transaction, caller, roles, organizations).await?;
    let people = db::people::list(&mut transaction, caller.project(), None).await?;
    if people.iter().any(|person| person.email.eq_ignore_ascii_case(email)) {
        return Err(Error::Refused(format!("{email} is in this project already")));
    }
    let secret = new_invitation();
    let new = NewInvitation {
        email,
        roles: &roles,
        organizations: &organizations,
        digest: &state.digester.invitation(secrecy::ExposeSecret::expose_secret(&secret)),
        invited_by: &caller.name,
        expires_at: OffsetDateTime::now_utc() + INVITATION_LIFE,
    };
    let id = db::invitations::insert(&mut transaction, caller.project(), &new).await?;
    let change = Change {
        action: "invitation.create",
        target: id.to_string(),
        target_name: email,
        before: None,
        after: Some(json!({ "email": email, "roles": roles, "organizations": organizations })),
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(Changed {
        id: id.to_string(),
        message: format!("{email} is invited. Send them this link; it counts for 7 days, once."),
        secret: Some(format!("/invitation?token={}", secrecy::ExposeSecret::expose_secret(&secret))),
    })
}

/// Takes an invitation back.
///
/// # Errors
/// 403, 404.
pub async fn cancel_invitation(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: InvitationId,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::PEOPLE_MANAGE)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let email = db::invitations::cancel(&mut transaction, caller.project(), id)
        .await?
        .ok_or_else(|| Error::NotFound(format!("invitation {id}")))?;
    let change = Change {
        action: "invitation.cancel",
        target: id.to_string(),
        target_name: &email,
        before: Some(json!({ "email": email })),
        after: None,
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(Changed {
        id: id.to_string(),
        message: format!("The invitation of {email} counts no longer."),
        secret: None,
    })
}

/// Says what a person is.
///
/// # Errors
/// 403 when they have, or would have, more than the caller; 404; 409 for the last administrator; 422.
pub async fn set(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: UserId,
    roles: Vec<String>,
    organizations: Vec<OrganizationId>,
) -> Result<Changed, Error> {
    let mut work = begin(state, caller, id).await?;
    let (roles, organizations) = check(&mut work.transaction, caller, roles, organizations).await?;
    db::people::set(&mut work.transaction, caller.project(), id, &roles, &organizations).await?;
    let message = format!("{} is now {}.", work.before.name, roles.join(", "));
    finish(work, caller, origin, "person.set", message).await
}

/// Keeps a person out of the project, or lets them in again.
///
/// # Errors
/// 403, 404, 409 for the last administrator.
pub async fn set_disabled(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: UserId,
    disabled: bool,
) -> Result<Changed, Error> {
    let mut work = begin(state, caller, id).await?;
    db::people::set_disabled(&mut work.transaction, caller.project(), id, disabled).await?;
    let name = &work.before.name;
    let (action, message) = if disabled {
        ("person.disable", format!("{name} is kept out of this project."))
    } else {
        ("person.enable", format!("{name} may use this project again."))
    };
    finish(work, caller, origin, action, message).await
}

/// Ends a person's membership.
///
/// # Errors
/// 403, 404, 409 for the last administrator.
pub async fn remove(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: UserId,
) -> Result<Changed, Error> {
    let mut work = begin(state, caller, id).await?;
    db::people::remove(&mut work.transaction, caller.project(), id).await?;
    let message = format!("{} is in this project no longer.", work.before.name);
    finish(work, caller, origin, "person.remove", message).await
}

struct Work {
    transaction: OutboxTransaction,
    before: Person,
}

async fn begin(state: &AppState, caller: &Caller, id: UserId) -> Result<Work, Error> {
    caller.require_manager(&Permission::PEOPLE_MANAGE)?;
    let mut transaction = state.outbox.begin(caller.project()).await?;
    db::people::lock(&mut transaction, caller.project()).await?;
    let before =
        find(&mut transaction, caller, id).await?.ok_or_else(|| Error::NotFound(format!("person {id}")))?;
    let custom = custom_roles(&mut transaction, caller).await?;
    // Who is mightier than oneself cannot be made less.
    if !caller.subject.permissions.includes(&roles::combine(&before.roles, &custom).0) {
        return Err(Error::Refused(format!("{} has permissions that you do not have", before.name)));
    }
    Ok(Work { transaction, before })
}

async fn finish(
    mut work: Work,
    caller: &Caller,
    origin: &Origin,
    action: &str,
    message: String,
) -> Result<Changed, Error> {
    let id = work.before.id;
    let after = find(&mut work.transaction, caller, id).await?;
    let admins = db::people::count_active(&mut work.transaction, caller.project(), ADMIN).await?;
    if admins == 0 && work.before.roles.iter().any(|role| role == ADMIN) && !work.before.disabled {
        return Err(Error::Refused(format!(
            "{} is the only administrator of this project; make somebody else one first",
            work.before.name
        )));
    }
    let change = Change {
        action,
        target: id.to_string(),
        target_name: &work.before.email,
        before: Some(json!(work.before)),
        after: after.map(|after| json!(after)),
    };
    note(&mut work.transaction, caller, origin, change).await?;
    let version = db::people::next_version(&mut work.transaction, caller.project(), id).await?;
    let changed = vec![what_changed(action).to_owned()];
    let mut event = NewEvent::of(caller.project(), id, version, &UserUpdated { user_id: id, changed })?;
    event.routing.audience.insert(SubjectRef::staff());
    work.transaction.record(event.with_metadata(origin.clone().metadata(caller))).await?;
    work.transaction.commit().await?;
    Ok(Changed { id: id.to_string(), message, secret: None })
}

/// The field that an action changes, for those who hear of it: never what it holds.
fn what_changed(action: &str) -> &'static str {
    match action {
        "person.set" => "roles",
        "person.remove" => "membership",
        _ => "disabled",
    }
}

async fn find(connection: &mut PgConnection, caller: &Caller, id: UserId) -> Result<Option<Person>, Error> {
    Ok(db::people::list(connection, caller.project(), Some(id)).await?.pop())
}

/// The project's own roles.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn custom_roles(connection: &mut PgConnection, caller: &Caller) -> Result<Vec<CustomRole>, Error> {
    Ok(db::roles::list(connection, caller.project())
        .await?
        .into_iter()
        .map(|role| CustomRole {
            name: role.name,
            permissions: role.permissions.iter().filter_map(|name| name.parse().ok()).collect(),
            project_wide: role.project_wide,
        })
        .collect())
}

/// Roles and organizations as they may be given: they exist, and give nothing that the caller has not.
async fn check(
    connection: &mut PgConnection,
    caller: &Caller,
    mut names: Vec<String>,
    mut organizations: Vec<OrganizationId>,
) -> Result<(Vec<String>, Vec<OrganizationId>), Error> {
    names.sort();
    names.dedup();
    organizations.sort();
    organizations.dedup();
    if names.is_empty() {
        return Err(Error::field("roles", "must name at least one role"));
    }
    if names.len() > MAX_ROLES {
        return Err(Error::field("roles", format!("must name at most {MAX_ROLES} roles")));
    }
    if organizations.len() > MAX_ORGANIZATIONS {
        return Err(Error::field("organizations", format!("must name at most {MAX_ORGANIZATIONS}")));
    }
    let custom = custom_roles(connection, caller).await?;
    let known =
        |name: &String| roles::built_in(name).is_some() || custom.iter().any(|role| role.name == *name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        return Err(Error::field("roles", format!("`{unknown}` is no role of this project")));
    }
    may_give(caller, &roles::combine(&names, &custom).0)?;
    for id in &organizations {
        if !db::organizations::exists(connection, caller.project(), *id).await? {
            return Err(Error::field("organizations", format!("{id} is no organization of this project")));
        }
    }
    Ok((names, organizations))
}

/// Goes on only when the caller holds all of `permissions`.
///
/// # Errors
/// 403 that names the first one that is missing.
pub fn may_give(caller: &Caller, permissions: &PermissionSet) -> Result<(), Error> {
    if caller.subject.permissions.includes(permissions) {
        return Ok(());
    }
    let missing = match permissions {
        PermissionSet::All => None,
        PermissionSet::Named(named) => named.iter().find(|permission| !caller.may(permission)).cloned(),
    };
    Err(missing.map_or_else(
        || Error::Refused("only an administrator can give every permission".to_owned()),
        Error::Forbidden,
    ))
}

/// Whether a text can be an address: something on both sides of one `@`, without blanks.
///
/// # Errors
/// 422.
pub fn check_email(email: &str) -> Result<(), Error> {
    let is_plausible = email.chars().count() <= 320
        && !email.chars().any(|c| c.is_whitespace() || c.is_control())
        && email
            .split_once('@')
            .is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty() && !domain.contains('@'));
    if is_plausible { Ok(()) } else { Err(Error::field("email", "must be an e-mail address")) }
}
