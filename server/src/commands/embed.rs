//! Tokens for the bell on other sites' pages, signed by API.

use secrecy::SecretString;
use serde_json::json;
use tidewatch_events::id::UserId;
use tidewatch_events::{Permission, ProjectId};
use time::OffsetDateTime;

use super::Origin;
use super::audit::{Change, note};
use crate::access::Caller;
use crate::access::embed_token::Signer;
use crate::db;
use crate::db::users::Member;
use crate::error::Error;
use crate::state::AppState;

/// What the audit log calls it.
const SIGN: &str = "embed_token.sign";

/// For whom a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whom {
    /// The person of this id.
    Id(UserId),
    /// The person of this address.
    Email(String),
}

/// Signs a token that opens a person's own notifications, and says until when.
///
/// Who signs for somebody else could read, and do, what is that one's: that is noted in the audit log. Each time of a
/// person, and once for each person of a key, for a service does so for its users all day long.
///
/// # Errors
/// 403 without `tokens.sign`, 404 for whoever is not in the project, 422 for what can be no address.
pub async fn sign(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    whom: &Whom,
) -> Result<(SecretString, OffsetDateTime), Error> {
    caller.require_manager(&Permission::TOKENS_SIGN)?;
    let signer = Signer::of(&caller.actor).ok_or(Error::Forbidden(Permission::TOKENS_SIGN))?;
    let project = caller.project();
    let member = find(state, project, whom).await?;
    let user = UserId::from_uuid(member.user_id);
    if signer != Signer::Person(user) {
        note_signing(state, caller, origin, signer, &member).await?;
    }
    state
        .embed_tokens
        .sign(project, user, signer, OffsetDateTime::now_utc())
        .map_err(|error| Error::Internal(error.to_string()))
}

/// Notes that a token was signed for somebody else.
async fn note_signing(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    signer: Signer,
    member: &Member,
) -> Result<(), Error> {
    let project = caller.project();
    let user = UserId::from_uuid(member.user_id);
    let (actor, target) = (caller.actor.to_string(), user.to_string());
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let is_noted = matches!(signer, Signer::Key(_))
        && !db::audit::is_first(&mut transaction, project, &actor, SIGN, &target).await?;
    if !is_noted {
        let after = Some(json!({ "userId": user }));
        let change = Change { action: SIGN, target, target_name: &member.email, before: None, after };
        note(&mut transaction, caller, origin, change).await?;
    }
    transaction.commit().await?;
    Ok(())
}

async fn find(state: &AppState, project: ProjectId, whom: &Whom) -> Result<Member, Error> {
    let mut connection = state.access.acquire().await?;
    if let Whom::Email(email) = whom
        && email.trim().chars().any(char::is_control)
    {
        return Err(Error::field("email", "must hold no control characters"));
    }
    let user = match whom {
        Whom::Id(id) => Some(*id),
        Whom::Email(email) => db::users::find_by_email(&mut connection, email.trim()).await?,
    };
    let missing = || Error::NotFound("such person in the project".to_owned());
    let pair = std::iter::once((user.ok_or_else(missing)?, project));
    db::users::find_members(&mut connection, pair).await?.pop().ok_or_else(missing)
}
