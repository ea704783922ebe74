//! What a caller showed, and whether it still counts.

use std::collections::{BTreeSet, HashMap, HashSet};

use sqlx::PgPool;
use tidewatch_events::id::{ApiKeyId, OrganizationId, UserId};
use tidewatch_events::{Permission, ProjectId, Subject, SubjectRef};
use time::OffsetDateTime;
use uuid::Uuid;

use super::embed_scope::{self, subject_of_embed};
use super::embed_token::Signer;
use super::roles;
use crate::db;
use crate::db::api_keys::LiveKey;
use crate::db::users::Member;

/// What a caller showed. It holds no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Credential {
    /// A browser's session, by the digest of its cookie.
    Session {
        /// Which.
        digest: [u8; 32],
        /// Whose.
        user: UserId,
        /// Where they are.
        project: ProjectId,
    },
    /// An API key.
    Key(ApiKeyId),
    /// An access token (JWT).
    Token {
        /// The login that it goes back to.
        family: Uuid,
        /// Whose.
        user: UserId,
        /// For which project.
        project: ProjectId,
        /// When it ends.
        expires_at: OffsetDateTime,
    },
    /// A token for the bell on another site's page.
    Embed {
        /// Who had it signed: it counts as long as they may sign.
        signer: Signer,
        /// Whose notifications it opens.
        user: UserId,
        /// In which project.
        project: ProjectId,
        /// When it ends.
        expires_at: OffsetDateTime,
    },
    /// The word of a person, by which somebody else was let in: it counts as long as they are in the
    /// project.
    Member {
        /// Whose.
        user: UserId,
        /// Where.
        project: ProjectId,
    },
}

impl Credential {
    /// The person and the project, where it is a person's.
    #[must_use]
    pub const fn member(&self) -> Option<(UserId, ProjectId)> {
        match *self {
            Self::Session { user, project, .. }
            | Self::Token { user, project, .. }
            | Self::Embed { user, project, .. }
            | Self::Member { user, project } => Some((user, project)),
            Self::Key(_) => None,
        }
    }

    /// On whose word it counts, where that is somebody else's.
    fn signer(&self) -> Option<Self> {
        match *self {
            Self::Embed { signer, project, .. } => Some(signer.credential(project)),
            _ => None,
        }
    }
}

/// Who a member is to the one rule.
#[must_use]
pub fn subject_of_member(member: &Member) -> Subject {
    let (permissions, mut identities) = roles::combine(&member.roles, &member.custom_roles);
    identities.insert(SubjectRef::User(UserId::from_uuid(member.user_id)));
    let organizations = member.organizations.iter().map(|id| OrganizationId::from_uuid(*id));
    identities.extend(organizations.map(SubjectRef::Organization));
    Subject { project_id: ProjectId::from_uuid(member.project_id), identities, permissions }
}

/// Who an API key is to the one rule: it belongs to the project, so it is staff.
#[must_use]
pub fn subject_of_key(key: &LiveKey) -> Subject {
    Subject {
        project_id: ProjectId::from_uuid(key.project_id),
        identities: BTreeSet::from([SubjectRef::staff()]),
        permissions: roles::scope_permissions(key.scopes.iter().map(String::as_str)),
    }
}

/// Who an endpoint of webhooks is to the one rule: what its maker, who belongs to the project, let it see. No token
/// ever lets it into a private channel, and nothing is addressed to it by itself.
#[must_use]
pub fn subject_of_webhook(project: ProjectId, permissions: &[String]) -> Subject {
    Subject {
        project_id: project,
        identities: BTreeSet::from([SubjectRef::staff()]),
        permissions: permissions.iter().flat_map(|name| name.parse::<Permission>()).collect(),
    }
}

/// What those of `credentials` come to that still count; the others are not in the answer.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn resolve(
    access: &PgPool,
    credentials: &HashSet<Credential>,
) -> Result<HashMap<Credential, Subject>, sqlx::Error> {
    let mut connection = access.acquire().await?;
    let with_signers =
        || credentials.iter().copied().chain(credentials.iter().filter_map(Credential::signer));
    let keys = with_signers().filter_map(|credential| match credential {
        Credential::Key(id) => Some(id),
        _ => None,
    });
    let keys: HashMap<ApiKeyId, Subject> = db::api_keys::find_live(&mut connection, keys)
        .await?
        .iter()
        .map(|key| (ApiKeyId::from_uuid(key.id), subject_of_key(key)))
        .collect();
    let sessions = credentials.iter().filter_map(|credential| match credential {
        Credential::Session { digest, .. } => Some(*digest),
        _ => None,
    });
    let sessions: HashSet<[u8; 32]> =
        db::sessions::find_live(&mut connection, sessions).await?.into_iter().collect();
    let families = credentials.iter().filter_map(|credential| match credential {
        Credential::Token { family, .. } => Some(*family),
        _ => None,
    });
    let families: HashSet<Uuid> =
        db::tokens::find_live(&mut connection, families).await?.into_iter().collect();
    let pairs: HashSet<(UserId, ProjectId)> =
        with_signers().filter_map(|credential| credential.member()).collect();
    let members: HashMap<(UserId, ProjectId), Subject> =
        db::users::find_members(&mut connection, pairs.into_iter())
            .await?
            .iter()
            .map(|member| {
                let pair = (UserId::from_uuid(member.user_id), ProjectId::from_uuid(member.project_id));
                (pair, subject_of_member(member))
            })
            .collect();
    let now = OffsetDateTime::now_utc();
    let own = |credential: &Credential| match credential {
        Credential::Key(id) => keys.get(id),
        Credential::Session { digest, user, project } => {
            members.get(&(*user, *project)).filter(|_| sessions.contains(digest))
        }
        Credential::Token { family, user, project, expires_at } => {
            members.get(&(*user, *project)).filter(|_| families.contains(family) && *expires_at > now)
        }
        Credential::Member { user, project } => members.get(&(*user, *project)),
        Credential::Embed { .. } => None,
    };
    let subject = |credential: &Credential| match credential {
        Credential::Embed { signer, user, project, expires_at } => {
            let vouches = own(&signer.credential(*project))
                .is_some_and(|signer| embed_scope::may_sign(signer, *project));
            let counts = *expires_at > now && vouches && members.contains_key(&(*user, *project));
            counts.then(|| subject_of_embed(*project, *user))
        }
        other => own(other).cloned(),
    };
    Ok(credentials.iter().filter_map(|credential| Some((*credential, subject(credential)?))).collect())
}
