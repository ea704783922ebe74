//! Who is let into a private channel, and for how long.

use std::collections::{HashMap, HashSet};

use secrecy::SecretString;
use sqlx::PgPool;
use tidewatch_events::access::Actor;
use tidewatch_events::{Channel, Permission, ProjectId, Subject, SubjectRef};

use super::Caller;
use super::channel_token::ChannelClaims;
use super::credential::{self, Credential};
use crate::error::Error;
use crate::state::AppState;

/// A private channel that somebody was let into, and on whose word: it counts as long as that one may
/// sign tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The channel.
    pub channel: Channel,
    /// Who had the token signed.
    pub signer: Credential,
}

/// Whether one who signs may let others in: alive, of this project, and allowed to sign.
#[must_use]
pub fn may_sign(signer: Option<&Subject>, project: ProjectId) -> bool {
    signer.is_some_and(|signer| {
        signer.project_id == project && signer.permissions.contains(&Permission::TOKENS_SIGN)
    })
}

/// The same subject, let into these channels.
#[must_use]
pub fn with_grants<'a>(subject: &Subject, grants: impl IntoIterator<Item = &'a Grant>) -> Subject {
    let mut subject = subject.clone();
    subject.identities.extend(grants.into_iter().map(|grant| SubjectRef::Channel(grant.channel.clone())));
    subject
}

/// Lets the caller into those of `channels` that are private, by `tokens`: each needs one.
///
/// # Errors
/// 403 that names the channel and says what is wrong with its token, or that there is none; 503 when
/// the signer cannot be looked up.
pub async fn admit(
    state: &AppState,
    caller: &Caller,
    channels: &[Channel],
    tokens: &[SecretString],
) -> Result<Vec<Grant>, Error> {
    let private: Vec<&Channel> = channels.iter().filter(|channel| channel.is_private()).collect();
    let mut claims: HashMap<Channel, ChannelClaims> = HashMap::new();
    for token in tokens {
        let refused = |channel: Option<&Channel>, reason: &str| Error::ChannelRefused {
            channel: channel.or_else(|| private.first().copied()).cloned(),
            reason: reason.to_owned(),
        };
        let said = state.channel_tokens.verify(token).map_err(|error| refused(None, &error.to_string()))?;
        if said.project != caller.project() {
            return Err(refused(None, "the token is of another project"));
        }
        if !private.contains(&&said.channel) {
            return Err(refused(None, &format!("the token is for the channel `{}`", said.channel)));
        }
        if !is_for(&said, caller) {
            return Err(refused(Some(&said.channel), "the token is for somebody else"));
        }
        claims.insert(said.channel.clone(), said);
    }
    let mut grants = Vec::new();
    for channel in private {
        let said = claims.remove(channel).ok_or_else(|| Error::ChannelRefused {
            channel: Some(channel.clone()),
            reason: "it is private and needs a signed token".to_owned(),
        })?;
        let signer = signer_of(&said).ok_or_else(|| Error::ChannelRefused {
            channel: Some(channel.clone()),
            reason: "nobody who could vouch for it signed the token".to_owned(),
        })?;
        grants.push(Grant { channel: channel.clone(), signer });
    }
    check_signers(&state.access, caller.project(), &grants).await?;
    Ok(grants)
}

/// A token for `user:usr_…` and its like is for who goes by that name; any other name is the signer's own
/// for its user, whom Tidewatch does not know.
fn is_for(claims: &ChannelClaims, caller: &Caller) -> bool {
    match claims.subject.as_deref().map(str::parse::<SubjectRef>) {
        Some(Ok(name)) => caller.subject.identities.contains(&name),
        Some(Err(_)) | None => true,
    }
}

const fn signer_of(claims: &ChannelClaims) -> Option<Credential> {
    match claims.signer {
        Actor::Key(id) => Some(Credential::Key(id)),
        Actor::User(user) => Some(Credential::Member { user, project: claims.project }),
        Actor::System(_) => None,
    }
}

async fn check_signers(access: &PgPool, project: ProjectId, grants: &[Grant]) -> Result<(), Error> {
    if grants.is_empty() {
        return Ok(());
    }
    let signers: HashSet<Credential> = grants.iter().map(|grant| grant.signer).collect();
    let alive = credential::resolve(access, &signers).await?;
    match grants.iter().find(|grant| !may_sign(alive.get(&grant.signer), project)) {
        None => Ok(()),
        Some(grant) => Err(Error::ChannelRefused {
            channel: Some(grant.channel.clone()),
            reason: "whoever had the token signed may do so no longer".to_owned(),
        }),
    }
}
