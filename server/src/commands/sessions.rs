//! One's own logins.

use serde_json::json;
use tidewatch_app::model::Changed;
use tidewatch_events::id::{SessionId, UserId};
use uuid::Uuid;

use super::Origin;
use super::audit::{Change, note};
use crate::access::Caller;
use crate::access::credential::Credential;
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// The person behind the caller; a key has no logins.
///
/// # Errors
/// 403 for a key.
pub fn person(caller: &Caller) -> Result<UserId, Error> {
    let member = caller
        .member
        .as_ref()
        .ok_or(Error::PersonsOnly("an API key is no person: it has no logins and no password"))?;
    Ok(UserId::from_uuid(member.user_id))
}

/// What the caller itself came in by: a browser's session, or an API login.
#[must_use]
pub const fn own_login(caller: &Caller) -> (Option<[u8; 32]>, Option<Uuid>) {
    match caller.credential {
        Credential::Session { digest, .. } => (Some(digest), None),
        Credential::Token { family, .. } => (None, Some(family)),
        Credential::Key(_) | Credential::Embed { .. } | Credential::Member { .. } => (None, None),
    }
}

/// Ends a login of the caller's own.
///
/// # Errors
/// 404, and 403 for a key.
pub async fn end(
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

/// Ends all logins of the caller's own but the one that asks.
///
/// # Errors
/// 403 for a key.
pub async fn end_others(state: &AppState, caller: &Caller, origin: &Origin) -> Result<Changed, Error> {
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
