//! The caller of a request: a person by session or access token, or a program by API key.

use axum::extract::FromRequestParts;
use http::header::AUTHORIZATION;
use http::request::Parts;
use secrecy::ExposeSecret;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{ApiKeyId, UserId};
use tidewatch_events::{Permission, ProjectId, Subject, SubjectRef};
use tower_sessions::Session;

use super::credential::{self, Credential, subject_of_key, subject_of_member};
use super::embed_scope;
use super::secret::API_KEY_PREFIX;
use super::session_store::USER_ID_KEY;
use crate::db;
use crate::db::users::Member;
use crate::error::Error;
use crate::http::request_log::Who;
use crate::state::AppState;

/// Who is asking. To hold one is to be authenticated; what it may is asked with [`Caller::require`].
#[derive(Debug, Clone)]
pub struct Caller {
    /// What the one rule of visibility is asked about.
    pub subject: Subject,
    /// Under which name its deeds are recorded.
    pub actor: Actor,
    /// What it is called: a person's address, a key's name.
    pub name: String,
    /// The person, where it is one.
    pub member: Option<Member>,
    /// The person behind it: itself, or for whom the API key acts. `None` where that cannot be told.
    pub person: Option<UserId>,
    /// What it showed, for what outlives the request.
    pub credential: Credential,
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

    /// Whether it belongs to the project itself, and not to one of its customers.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        self.subject.identities.contains(&SubjectRef::staff())
    }

    /// Goes on only with the permission.
    ///
    /// # Errors
    /// 403 that names what is missing.
    pub fn require(&self, permission: &Permission) -> Result<(), Error> {
        if self.may(permission) { Ok(()) } else { Err(Error::Forbidden(permission.clone())) }
    }

    /// Goes on only with the permission, and only for the project's own people and keys: whoever sees
    /// only what is their own must not say what others may.
    ///
    /// # Errors
    /// 403 that names what is missing.
    pub fn require_manager(&self, permission: &Permission) -> Result<(), Error> {
        self.require(permission)?;
        if self.is_staff() { Ok(()) } else { Err(Error::Forbidden(permission.clone())) }
    }

    /// The person whose inbox it asks for: its own, and nobody else's. A key has none, also where it acts for somebody.
    ///
    /// # Errors
    /// 403 for an API key.
    pub fn recipient(&self) -> Result<UserId, Error> {
        match (self.credential, &self.member) {
            (Credential::Embed { user, .. }, _) => Ok(user),
            (_, Some(member)) => Ok(UserId::from_uuid(member.user_id)),
            (_, None) => Err(Error::NoInbox),
        }
    }

    fn of_member(member: Member, credential: Credential) -> Self {
        Self {
            subject: subject_of_member(&member),
            actor: Actor::User(UserId::from_uuid(member.user_id)),
            person: Some(UserId::from_uuid(member.user_id)),
            name: member.email.clone(),
            member: Some(member),
            credential,
        }
    }

    /// The person whose session this is, in the project with this slug, or in the one that they
    /// joined first.
    ///
    /// # Errors
    /// 401 without a session or when its person is disabled, 404 for a project that they are not in;
    /// 503 when it cannot be looked up.
    pub async fn from_session(
        session: &Session,
        state: &AppState,
        project: Option<&str>,
    ) -> Result<Self, Error> {
        const SIGN_IN: Error =
            Error::Unauthenticated("sign in, or send an API key as `Authorization: Bearer tw_…`");
        let user: UserId = session.get(USER_ID_KEY).await?.ok_or(SIGN_IN)?;
        let digest = state.digester.session(&session.id().ok_or(SIGN_IN)?);
        let mut connection = state.access.acquire().await?;
        match db::users::find_member(&mut connection, user, project).await? {
            Some(member) => {
                let project = ProjectId::from_uuid(member.project_id);
                Ok(Self::of_member(member, Credential::Session { digest, user, project }))
            }
            None if project.is_some()
                && db::users::find_member(&mut connection, user, None).await?.is_some() =>
            {
                Err(Error::NotFound("such project".to_owned()))
            }
            None => Err(Error::Unauthenticated("this account is in no project or disabled")),
        }
    }

    /// The caller by what stands in the `Authorization` header. A key and a token belong to one
    /// project; to name another is to ask for what is not there.
    async fn from_authorization(
        authorization: &str,
        state: &AppState,
        project: Option<&str>,
    ) -> Result<Self, Error> {
        let (scheme, secret) = authorization.split_once(' ').unwrap_or((authorization, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Error::Unauthenticated(
                "the Authorization header must be `Bearer tw_…` or `Bearer <JWT>`",
            ));
        }
        let caller = Self::from_secret(&secrecy::SecretString::from(secret.trim()), state).await?;
        if let Some(slug) = project {
            let named = db::projects::find_by_slug(&mut *state.access.acquire().await?, slug).await?;
            if named != Some(caller.project()) {
                return Err(Error::NotFound("such project".to_owned()));
            }
        }
        Ok(caller)
    }

    /// The caller whose API key, access token or embed token this is.
    ///
    /// # Errors
    /// 401 when it does not count; 503 when it cannot be looked up.
    pub async fn from_secret(secret: &secrecy::SecretString, state: &AppState) -> Result<Self, Error> {
        if secret.expose_secret().starts_with(API_KEY_PREFIX) {
            Self::from_api_key(secret, state).await
        } else {
            Self::from_token(secret, state).await
        }
    }

    async fn from_api_key(key: &secrecy::SecretString, state: &AppState) -> Result<Self, Error> {
        let digest = state.digester.api_key(key.expose_secret());
        let key = db::api_keys::use_by_digest(&mut *state.access.acquire().await?, &digest)
            .await?
            .ok_or(Error::Unauthenticated("this API key is unknown, expired or revoked"))?;
        let id = ApiKeyId::from_uuid(key.id);
        Ok(Self {
            subject: subject_of_key(&key),
            actor: Actor::Key(id),
            person: key.person_id.map(UserId::from_uuid),
            name: key.name,
            member: None,
            credential: Credential::Key(id),
        })
    }

    async fn from_token(token: &secrecy::SecretString, state: &AppState) -> Result<Self, Error> {
        if let Some(credential @ Credential::Embed { user, project, .. }) = state.embed_tokens.verify(token) {
            return Self::from_embed(credential, user, project, state).await;
        }
        let credential = state.tokens.verify(token).ok_or(Error::Unauthenticated(
            "this access token is not valid, or has expired; get another one with the refresh token",
        ))?;
        let Credential::Token { family, user, project, .. } = credential else {
            return Err(Error::Internal("a token that is none".to_owned()));
        };
        let mut connection = state.access.acquire().await?;
        let is_live = !db::tokens::find_live(&mut connection, std::iter::once(family)).await?.is_empty();
        let pair = std::iter::once((user, project));
        db::users::find_members(&mut connection, pair)
            .await?
            .pop()
            .filter(|_| is_live)
            .map(|member| Self::of_member(member, credential))
            .ok_or(Error::Unauthenticated(
                "this access token was revoked, or its account is no longer in the project",
            ))
    }

    /// The person by their own name alone. There is no member: what asks for one, such as logins and passwords, is not
    /// for who looks at somebody's bell.
    async fn from_embed(
        credential: Credential,
        user: UserId,
        project: ProjectId,
        state: &AppState,
    ) -> Result<Self, Error> {
        const GONE: Error = Error::Unauthenticated(
            "whoever had this token signed may do so no longer, or its account is not in the project any more",
        );
        let asked = [credential].into();
        let subject = credential::resolve(&state.access, &asked).await?.remove(&credential).ok_or(GONE)?;
        let mut connection = state.access.acquire().await?;
        let members = db::users::find_members(&mut connection, std::iter::once((user, project))).await?;
        Ok(Self {
            subject,
            actor: Actor::User(user),
            name: members.into_iter().next().ok_or(GONE)?.email,
            member: None,
            person: Some(user),
            credential,
        })
    }

    /// Goes on only where what was shown opens this at all.
    fn within_scope(self, parts: &Parts) -> Result<Self, Error> {
        let is_embed = matches!(self.credential, Credential::Embed { .. });
        if is_embed && !embed_scope::opens(&parts.method, parts.uri.path()) {
            return Err(Error::TokenScope(
                "this token is for the bell: it opens its person's own notifications and the stream of those",
            ));
        }
        Ok(self)
    }
}

/// The `project` of a query: the slug of the project that the request is about.
#[must_use]
pub fn project_of_query(query: Option<&str>) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query?).ok()?;
    pairs.into_iter().find(|(name, _)| name == "project").map(|(_, slug)| slug)
}

impl FromRequestParts<AppState> for Caller {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let caller = Self::from_parts(parts, state).await?;
        if let Some(who) = parts.extensions.get::<Who>() {
            who.is(&caller.actor);
        }
        Ok(caller)
    }
}

impl Caller {
    /// An `Authorization` header counts before a cookie: who sends one means it.
    async fn from_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let project = project_of_query(parts.uri.query());
        if let Some(header) = parts.headers.get(AUTHORIZATION) {
            let text = header
                .to_str()
                .map_err(|_| Error::Unauthenticated("the Authorization header is not text"))?;
            return Self::from_authorization(text, state, project.as_deref()).await?.within_scope(parts);
        }
        let session = Session::from_request_parts(parts, state)
            .await
            .map_err(|(_, message)| Error::Internal(message.to_owned()))?;
        Self::from_session(&session, state, project.as_deref()).await
    }
}
