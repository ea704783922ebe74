//! Tokens for the bell on pages of other sites: short-lived JSON Web Tokens
//! ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) that a backend has signed for one of its users, and that open
//! this person's own notifications and nothing else.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tidewatch_events::ProjectId;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{ApiKeyId, UserId};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::credential::Credential;
use super::jwt::{ISSUER, JwtKey};
use super::secret::Digester;

/// How long a token counts.
pub const EMBED_TOKEN_LIFE: Duration = Duration::minutes(10);
/// For what these tokens are: one that was signed for something else opens no bell, and none of these opens anything
/// else.
const AUDIENCE: &str = "tidewatch-embed";

/// Who had a token signed. The token counts as long as they may sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Signer {
    /// An API key.
    Key(ApiKeyId),
    /// A person.
    Person(UserId),
}

impl Signer {
    /// The one who acts, where they may sign at all: Tidewatch itself signs nothing.
    #[must_use]
    pub const fn of(actor: &Actor) -> Option<Self> {
        match actor {
            Actor::Key(id) => Some(Self::Key(*id)),
            Actor::User(id) => Some(Self::Person(*id)),
            Actor::System(_) => None,
        }
    }

    /// What vouches for them, in the token's project.
    #[must_use]
    pub const fn credential(self, project: ProjectId) -> Credential {
        match self {
            Self::Key(id) => Credential::Key(id),
            Self::Person(user) => Credential::Member { user, project },
        }
    }
}

impl From<Signer> for Actor {
    fn from(signer: Signer) -> Self {
        match signer {
            Signer::Key(id) => Self::Key(id),
            Signer::Person(id) => Self::User(id),
        }
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    /// Whose notifications.
    sub: UserId,
    /// In which project.
    prj: ProjectId,
    /// Who had it signed.
    key: Actor,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// Signs tokens for bells and checks them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EmbedTokens {
    key: JwtKey,
}

impl EmbedTokens {
    /// Signs with a key that is drawn from the server's secret.
    #[must_use]
    pub fn new(digester: &Digester) -> Self {
        Self { key: JwtKey::new(&digester.digest("embed token", b"HS256")) }
    }

    /// A token for this person's notifications until the time in the answer.
    ///
    /// # Errors
    /// The claims cannot be written as JSON.
    pub fn sign(
        &self,
        project: ProjectId,
        user: UserId,
        signer: Signer,
        now: OffsetDateTime,
    ) -> Result<(SecretString, OffsetDateTime), jsonwebtoken::errors::Error> {
        let expires_at = now + EMBED_TOKEN_LIFE;
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            prj: project,
            key: signer.into(),
            iat: now.unix_timestamp(),
            exp: expires_at.unix_timestamp(),
            jti: Uuid::now_v7(),
        };
        Ok((self.key.sign(&claims)?, expires_at))
    }

    /// What a token says, when it is ours, for a bell, and has not expired. Only HS256 is accepted, whatever the
    /// token says of itself. Whether its signer and its person still count is another question.
    #[must_use]
    pub fn verify(&self, token: &SecretString) -> Option<Credential> {
        let claims: Claims = self
            .key
            .verify(token, AUDIENCE, &["exp", "aud", "iss", "sub"])
            .inspect_err(|error| tracing::debug!(%error, "an embed token was refused"))
            .ok()?;
        Some(Credential::Embed {
            signer: Signer::of(&claims.key)?,
            user: claims.sub,
            project: claims.prj,
            expires_at: OffsetDateTime::from_unix_timestamp(claims.exp).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::{Algorithm, Header};
    use serde_json::{Value, json};

    use super::*;
    use crate::access::channel_token::ChannelTokens;
    use crate::access::token::Tokens;

    fn digester(secret: &str) -> Digester {
        Digester::new(secret.as_bytes().to_vec())
    }

    fn tokens(secret: &str) -> EmbedTokens {
        EmbedTokens::new(&digester(secret))
    }

    fn user() -> UserId {
        UserId::from_uuid(Uuid::from_u128(1))
    }

    fn project() -> ProjectId {
        ProjectId::from_uuid(Uuid::from_u128(2))
    }

    fn key() -> Signer {
        Signer::Key(ApiKeyId::from_uuid(Uuid::from_u128(3)))
    }

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": user(), "prj": project(), "key": Actor::from(key()),
            "jti": Uuid::nil(), "iat": 0, "exp": OffsetDateTime::now_utc().unix_timestamp() + 600,
        })
    }

    fn signed(algorithm: Algorithm, claims: &Value, tokens: &EmbedTokens) -> SecretString {
        tokens.key.encode(&Header::new(algorithm), claims).expect("signed")
    }

    #[test]
    fn reads_what_it_signed() {
        let tokens = tokens("one");
        let now = OffsetDateTime::now_utc();
        for signer in [key(), Signer::Person(user())] {
            let (token, until) = tokens.sign(project(), user(), signer, now).expect("signed");
            let Some(Credential::Embed { signer: by, user: who, project: of, expires_at }) =
                tokens.verify(&token)
            else {
                panic!("refused")
            };
            assert_eq!((by, who, of), (signer, user(), project()));
            assert_eq!(until, now + EMBED_TOKEN_LIFE);
            assert_eq!(expires_at.unix_timestamp(), until.unix_timestamp());
        }
    }

    #[test]
    fn refuses_what_is_stolen_altered_or_made_up() {
        let ours = tokens("one");
        let good = claims();
        assert!(ours.verify(&signed(Algorithm::HS256, &good, &ours)).is_some(), "the pattern is good");
        assert!(ours.verify(&signed(Algorithm::HS256, &good, &tokens("two"))).is_none(), "another key");
        assert!(ours.verify(&signed(Algorithm::HS512, &good, &ours)).is_none(), "another algorithm");
        for (claim, value) in [
            ("exp", json!(OffsetDateTime::now_utc().unix_timestamp() - 1)),
            ("exp", Value::Null),
            ("aud", json!("tidewatch-api")),
            ("aud", Value::Null),
            ("iss", json!("somebody-else")),
            ("sub", Value::Null),
            ("prj", Value::Null),
            ("key", Value::Null),
            ("key", json!("system:checks")),
        ] {
            let mut altered = good.clone();
            if value.is_null() {
                altered.as_object_mut().expect("claims").remove(claim);
            } else {
                altered[claim] = value;
            }
            assert!(ours.verify(&signed(Algorithm::HS256, &altered, &ours)).is_none(), "{claim}: {altered}");
        }
        let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let none = format!("{}.{}.", encode(&json!({ "alg": "none", "typ": "JWT" })), encode(&good));
        assert!(ours.verify(&none.into()).is_none(), "no signature");
        for text in ["", ".", "..", "a.b.c", "tw_x"] {
            assert!(ours.verify(&text.to_owned().into()).is_none(), "{text:?}");
        }
    }

    #[test]
    fn no_token_stands_for_one_of_another_use() {
        let (embed, now) = (tokens("one"), OffsetDateTime::now_utc());
        let (access, channels) = (Tokens::new(&digester("one")), ChannelTokens::new(&digester("one")));
        let (token, _) = embed.sign(project(), user(), key(), now).expect("signed");
        assert!(access.verify(&token).is_none());
        assert!(channels.verify(&token).is_err());
        let token = access.sign(user(), project(), Uuid::nil(), now).expect("signed");
        assert!(embed.verify(&token).is_none());
        let channel = "private-a".parse().expect("a channel");
        let (token, _) = channels.sign(project(), channel, key().into(), None, now).expect("signed");
        assert!(embed.verify(&token).is_none());
    }
}
