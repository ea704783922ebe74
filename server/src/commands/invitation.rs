//! Accepting an invitation.

use secrecy::SecretString;
use serde_json::json;
use tidewatch_events::access::Actor;
use tidewatch_events::catalog::access::UserCreated;
use tidewatch_events::id::{InvitationId, OrganizationId, UserId};
use tidewatch_events::{NewEvent, ProjectId, SubjectRef};

use super::password;
use crate::access::login::{self, Login, LoginOrigin};
use crate::db;
use crate::db::audit::NewAuditEntry;
use crate::db::invitations::OpenInvitation;
use crate::error::Error;
use crate::state::AppState;

/// What came of it.
#[derive(Debug)]
pub enum Accepted {
    /// They are in.
    Joined {
        /// Who.
        user: UserId,
        /// Where, by the name in addresses.
        project: String,
    },
    /// The link is unknown, used up or too old.
    Gone,
    /// There is an account under the address, and the password is not its.
    WrongPassword,
}

/// The invitation that a link opens.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(state: &AppState, token: &str) -> Result<Option<OpenInvitation>, Error> {
    let digest = state.digester.invitation(token);
    Ok(db::invitations::find_open(&mut *state.access.acquire().await?, &digest).await?)
}

/// Joins a project by an invitation's link. Who has an account under the invited address shows its
/// password; everybody else chooses one.
///
/// # Errors
/// 422 for a name or password that will not do, 429 after too many wrong passwords.
pub async fn accept(
    state: &AppState,
    token: &str,
    name: &str,
    secret: SecretString,
    from: &LoginOrigin,
    request_id: &str,
) -> Result<Accepted, Error> {
    let Some(invitation) = find(state, token).await? else { return Ok(Accepted::Gone) };
    let project = ProjectId::from_uuid(invitation.project_id);
    let known = db::users::find_by_email(&mut *state.access.acquire().await?, &invitation.email).await?;
    let (user, hash) = match known {
        Some(_) => match login::check(state, &invitation.email, secret, from).await? {
            Login::Right(user) => (Some(user), None),
            Login::Wrong => return Ok(Accepted::WrongPassword),
            Login::Throttled(wait) => return Err(Error::throttled(wait)),
        },
        None => {
            let name = name.trim();
            if !(1..=200).contains(&name.chars().count()) || name.chars().any(char::is_control) {
                return Err(Error::field("name", "must be 1 to 200 characters"));
            }
            (None, Some(password::choose(state, "password", secret).await?))
        }
    };
    let mut transaction = db::begin_change(&state.access, project).await?;
    if !db::invitations::accept(&mut transaction, invitation.id).await? {
        return Ok(Accepted::Gone);
    }
    let user = match (user, hash) {
        (Some(user), _) => user,
        (None, hash) => {
            let hash = hash.unwrap_or_default();
            db::users::ensure(&mut transaction, &invitation.email, name.trim(), &hash).await?
        }
    };
    let organizations: Vec<OrganizationId> =
        invitation.organizations.iter().copied().map(OrganizationId::from_uuid).collect();
    db::people::join(&mut transaction, project, user).await?;
    db::people::set(&mut transaction, project, user, &invitation.roles, &organizations).await?;
    let entry = NewAuditEntry {
        project,
        actor: &Actor::User(user).to_string(),
        actor_name: &invitation.email,
        action: "invitation.accept",
        target: &InvitationId::from_uuid(invitation.id).to_string(),
        target_name: &invitation.email,
        before: None,
        after: Some(json!({ "userId": user, "roles": invitation.roles, "organizations": organizations })),
        request_id,
    };
    db::audit::insert(&mut transaction, &entry).await?;
    let version = db::people::next_version(&mut transaction, project, user).await?;
    let mut event = NewEvent::of(project, user, version, &UserCreated { user_id: user })?;
    event.routing.audience.insert(SubjectRef::staff());
    event.metadata.actor = Some(Actor::User(user));
    tidewatch_outbox::record(&mut transaction, event).await?;
    // The relay finds it by itself: this transaction is of those who look across projects.
    transaction.commit().await?;
    Ok(Accepted::Joined { user, project: invitation.project_slug })
}
