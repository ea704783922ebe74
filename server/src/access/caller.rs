//! The caller of a request: a person by session, or a program by API key.

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use secrecy::ExposeSecret;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{ApiKeyId, UserId};
use tidewatch_events::{Permission, ProjectId, Subject, SubjectRef};
use tower_sessions::Session;

use super::{roles, session_store::USER_ID_KEY};
use crate::db;
use crate::db::users::Member;
use crate::error::Error;
use crate::state::AppState;

/// Who is asking. To hold one is to be authenticated; what it may is asked with [`Caller::require`].
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the one rule of visibility is asked about.
    pub subject: Subject,
    /// Under which name its deeds are recorded.
    pub actor: Actor,
    /// The person, where it is one.
    pub member: Option<Member>,
}

impl Caller {
    /// The project that it works in.
    #[must_use]
    pub const fn project(&self) -> ProjectId {
        self.subject.project_id
    }

    /// Whether it holds the permission.
    #[must_use]
    pub fn may(&self, permission: &Permission) -> bool {
        self.subject.permissions.contains(permission)
    }

    /// Goes on only with the permission.
    ///
    /// # Errors
    /// 403 that names what is missing.
    pub fn require(&self, permission: &Permission) -> Result<(), Error> {
        if self.may(permission) { Ok(()) } else { Err(Error::Forbidden(permission.clone())) }
    }

    fn of_member(member: Member) -> Self {
        let user = UserId::from_uuid(member.user_id);
        let names = member.roles.iter().map(|role| SubjectRef::Role(role.clone()));
        Self {
            subject: Subject {
                project_id: ProjectId::from_uuid(member.project_id),
                identities: names.chain([SubjectRef::User(user)]).collect(),
                permissions: roles::permissions(member.roles.iter().map(String::as_str)),
            },
            actor: Actor::User(user),
            member: Some(member),
        }
    }

    fn of_key(key: &db::api_keys::LiveKey) -> Self {
        Self {
            subject: Subject {
                project_id: ProjectId::from_uuid(key.project_id),
                identities: std::collections::BTreeSet::new(),
                permissions: roles::scope_permissions(key.scopes.iter().map(String::as_str)),
            },
            actor: Actor::Key(ApiKeyId::from_uuid(key.id)),
            member: None,
        }
    }

    /// The person whose session this is.
    ///
    /// # Errors
    /// 401 without a session or when its person is disabled; 503 when it cannot be looked up.
    pub async fn from_session(session: &Session, state: &AppState) -> Result<Self, Error> {
        let user: Option<UserId> = session.get(USER_ID_KEY).await?;
        let user = user
            .ok_or(Error::Unauthenticated("sign in, or send an API key as `Authorization: Bearer tw_…`"))?;
        let member = db::users::find_member(&mut *state.pool.acquire().await?, user).await?;
        member.map(Self::of_member).ok_or(Error::Unauthenticated("this account is in no project or disabled"))
    }

    async fn from_api_key(authorization: &str, state: &AppState) -> Result<Self, Error> {
        let (scheme, key) = authorization.split_once(' ').unwrap_or((authorization, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Error::Unauthenticated("the Authorization header must be `Bearer tw_…`"));
        }
        let key = secrecy::SecretString::from(key.trim());
        let digest = state.digester.api_key(key.expose_secret());
        let live = db::api_keys::use_by_digest(&mut *state.pool.acquire().await?, &digest).await?;
        live.as_ref()
            .map(Self::of_key)
            .ok_or(Error::Unauthenticated("this API key is unknown, expired or revoked"))
    }
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Error;

    /// An `Authorization` header counts before a cookie: who sends one means it.
    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        if let Some(header) = parts.headers.get(AUTHORIZATION) {
            let text = header
                .to_str()
                .map_err(|_| Error::Unauthenticated("the Authorization header is not text"))?;
            return Self::from_api_key(text, state).await;
        }
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(|(_, message)| Error::Internal(message.to_owned()))?;
        Self::from_session(&session, state).await
    }
}
