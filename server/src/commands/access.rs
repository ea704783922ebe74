//! Who may what: one entrance for pages, API and command line.

use serde_json::json;
use tidewatch_app::model::{AccessChange, Changed};
use tidewatch_events::id::{SessionId, UserId};
use uuid::Uuid;

use super::audit::{Change, note};
use super::{Origin, keys, people, project, roles};
use crate::access::Caller;
use crate::access::credential::Credential;
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// Carries a change out.
///
/// # Errors
/// 403 without the permission that the change needs, or when it would give away what the caller does
/// not have; 404, 409 and 422 as the change's own description says.
pub async fn change_access(
    state: &AppState,
    caller: &Caller,
    change: AccessChange,
    origin: &Origin,
) -> Result<Changed, Error> {
    match change {
        AccessChange::InvitePerson { email, roles, organizations } => {
            people::invite(state, caller, origin, email.trim(), roles, organizations).await
        }
        AccessChange::CancelInvitation { id } => people::cancel_invitation(state, caller, origin, id).await,
        AccessChange::SetPerson { id, roles, organizations } => {
            people::set(state, caller, origin, id, roles, organizations).await
        }
        AccessChange::SetDisabled { id, disabled } => {
            people::set_disabled(state, caller, origin, id, disabled).await
        }
        AccessChange::RemovePerson { id } => people::remove(state, caller, origin, id).await,
        AccessChange::SaveRole { name, title, permissions, own_only } => {
            roles::save(state, caller, origin, name, title, permissions, !own_only).await
        }
        AccessChange::DeleteRole { name } => roles::delete(state, caller, origin, &name).await,
        AccessChange::CreateOrganization { name } => {
            project::create_organization(state, caller, origin, &name).await
        }
        AccessChange::RenameOrganization { id, name } => {
            project::rename_organization(state, caller, origin, id, &name).await
        }
        AccessChange::CreateApiKey { name, scopes, expires_in_days } => {
            keys::create(state, caller, origin, &name, scopes, expires_in_days).await
        }
        AccessChange::RotateApiKey { id, overlap_hours } => {
            keys::rotate(state, caller, origin, id, overlap_hours).await
        }
        AccessChange::DeleteApiKey { id } => keys::delete(state, caller, origin, id).await,
        AccessChange::EndSession { id } => end_session(state, caller, origin, id).await,
        AccessChange::EndOtherSessions => end_other_sessions(state, caller, origin).await,
        AccessChange::RenameProject { name } => project::rename(state, caller, origin, &name).await,
    }
}

/// The person behind the caller; a key has no logins.
///
/// # Errors
/// 403 for a key.
pub fn person(caller: &Caller) -> Result<UserId, Error> {
    let member = caller.member.as_ref().ok_or_else(|| {
        Error::Refused("an API key is no person: it has no sessions and no password".to_owned())
    })?;
    Ok(UserId::from_uuid(member.user_id))
}

/// What the caller itself came in by: a browser's session, or an API login.
#[must_use]
pub const fn own_login(caller: &Caller) -> (Option<[u8; 32]>, Option<Uuid>) {
    match caller.credential {
        Credential::Session { digest, .. } => (Some(digest), None),
        Credential::Token { family, .. } => (None, Some(family)),
        Credential::Key(_) | Credential::Member { .. } => (None, None),
    }
}

async fn end_session(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: SessionId,
) -> Result<Changed, Error> {
    let user = person(caller)?;
    let mut transaction = db::begin_change(&state.access, caller.project()).await?;
    if !db::sessions::end(&mut transaction, user, id).await? {
        return Err(Error::NotFound(format!("session {id}")));
    }
    let change = Change {
        action: "session.end",
        target: id.to_string(),
        target_name: &caller.name,
        before: Some(json!({ "userId": user })),
        after: None,
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(Changed { id: id.to_string(), message: "The session has ended.".to_owned(), secret: None })
}

async fn end_other_sessions(state: &AppState, caller: &Caller, origin: &Origin) -> Result<Changed, Error> {
    let user = person(caller)?;
    let (session, family) = own_login(caller);
    let mut transaction = db::begin_change(&state.access, caller.project()).await?;
    let ended = db::sessions::end_others(&mut transaction, user, session, family).await?;
    if ended > 0 {
        let change = Change {
            action: "session.end_others",
            target: user.to_string(),
            target_name: &caller.name,
            before: Some(json!({ "sessions": ended })),
            after: None,
        };
        note(&mut transaction, caller, origin, change).await?;
    }
    transaction.commit().await?;
    let message = match ended {
        0 => "There was no other session.".to_owned(),
        1 => "1 other session has ended.".to_owned(),
        n => format!("{n} other sessions have ended."),
    };
    Ok(Changed { id: user.to_string(), message, secret: None })
}
