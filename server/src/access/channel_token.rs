//! Tokens for private channels: short-lived JSON Web Tokens
//! ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) that a publisher signs for its own users, and by
//! which Tidewatch lets them in.

use jsonwebtoken::errors::ErrorKind;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tidewatch_events::access::Actor;
use tidewatch_events::{Channel, ProjectId};
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::jwt::{ISSUER, JwtKey};
use super::secret::Digester;

/// How long a token lets its bearer in. Who is in stays in.
pub const CHANNEL_TOKEN_LIFE: Duration = Duration::minutes(10);
/// For what these tokens are: one that was signed for something else opens no channel, and none of these
/// opens anything else.
const AUDIENCE: &str = "tidewatch-channel";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelClaims {
    iss: String,
    aud: String,
    /// The project.
    #[serde(rename = "prj")]
    pub project: ProjectId,
    /// The channel.
    #[serde(rename = "chn")]
    pub channel: Channel,
    /// Who had it signed: an API key, or a person at the dashboard. The token counts as long as they do.
    #[serde(rename = "key")]
    pub signer: Actor,
    /// Whom it is for, where the signer said so.
    #[serde(rename = "sub", skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    iat: i64,
    /// When it ends, in seconds since 1970.
    pub exp: i64,
    jti: Uuid,
}

/// Why a token opens no channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelTokenError {
    /// Its time is over.
    #[error("the token has expired; have a new one signed")]
    Expired,
    /// It is a token of ours for something else.
    #[error("the token is for something else than a channel")]
    OtherUse,
    /// The signature is not ours, or there is none.
    #[error("the token's signature is not valid")]
    Signature,
    /// It is no token at all, or lacks what a token must say.
    #[error("that is no token for a channel")]
    Malformed,
}

/// Signs tokens for private channels and checks them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ChannelTokens {
    key: JwtKey,
}

impl ChannelTokens {
    /// Signs with a key that is drawn from the server's secret.
    #[must_use]
    pub fn new(digester: &Digester) -> Self {
        Self { key: JwtKey::new(&digester.digest("channel token", b"HS256")) }
    }

    /// A token that lets its bearer into the channel until the time in the answer.
    ///
    /// # Errors
    /// The claims cannot be written as JSON.
    pub fn sign(
        &self,
        project: ProjectId,
        channel: Channel,
        signer: Actor,
        subject: Option<String>,
        now: OffsetDateTime,
    ) -> Result<(SecretString, OffsetDateTime), jsonwebtoken::errors::Error> {
        let expires_at = now + CHANNEL_TOKEN_LIFE;
        let claims = ChannelClaims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            project,
            channel,
            signer,
            subject,
            iat: now.unix_timestamp(),
            exp: expires_at.unix_timestamp(),
            jti: Uuid::now_v7(),
        };
        Ok((self.key.sign(&claims)?, expires_at))
    }

    /// What a token says, when it is ours, for a channel, and has not expired. Only HS256 is accepted,
    /// whatever the token says of itself. Whether its signer still counts is another question.
    ///
    /// # Errors
    /// See [`ChannelTokenError`].
    pub fn verify(&self, token: &SecretString) -> Result<ChannelClaims, ChannelTokenError> {
        self.key.verify(token, AUDIENCE, &["exp", "aud", "iss"]).map_err(|error| match error.kind() {
            ErrorKind::ExpiredSignature => ChannelTokenError::Expired,
            ErrorKind::InvalidAudience | ErrorKind::InvalidIssuer => ChannelTokenError::OtherUse,
            ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => ChannelTokenError::Signature,
            _ => ChannelTokenError::Malformed,
        })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::{Algorithm, Header};
    use secrecy::ExposeSecret;
    use serde_json::{Value, json};
    use tidewatch_events::id::ApiKeyId;

    use super::*;
    use crate::access::token::Tokens;

    fn digester(secret: &str) -> Digester {
        Digester::new(secret.as_bytes().to_vec())
    }

    fn channel(name: &str) -> Channel {
        name.parse().expect("a channel")
    }

    fn project() -> ProjectId {
        ProjectId::from_uuid(Uuid::from_u128(2))
    }

    fn key() -> Actor {
        Actor::Key(ApiKeyId::from_uuid(Uuid::from_u128(3)))
    }

    fn claims() -> Value {
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "prj": project(), "chn": "private-a", "key": key(),
            "jti": Uuid::nil(), "iat": 0, "exp": OffsetDateTime::now_utc().unix_timestamp() + 600,
        })
    }

    fn signed(algorithm: Algorithm, claims: &Value, tokens: &ChannelTokens) -> SecretString {
        tokens.key.encode(&Header::new(algorithm), claims).expect("signed")
    }

    #[test]
    fn reads_what_it_signed() {
        let tokens = ChannelTokens::new(&digester("one"));
        let now = OffsetDateTime::now_utc();
        let subject = Some("ann".to_owned());
        let (token, expires_at) =
            tokens.sign(project(), channel("private-a"), key(), subject, now).expect("signed");
        let said = tokens.verify(&token).expect("ours");
        assert_eq!((said.project, said.channel, said.signer), (project(), channel("private-a"), key()));
        assert_eq!(said.subject.as_deref(), Some("ann"));
        assert_eq!((said.exp, expires_at), (expires_at.unix_timestamp(), now + CHANNEL_TOKEN_LIFE));
    }

    #[test]
    fn says_why_it_refuses_what_is_forged_or_over() {
        use ChannelTokenError::{Expired, Malformed, OtherUse, Signature};
        let ours = ChannelTokens::new(&digester("one"));
        let theirs = ChannelTokens::new(&digester("two"));
        let good = claims();
        let with = |name: &str, value: Value| {
            let mut claims = good.clone();
            match value {
                Value::Null => drop(claims.as_object_mut().expect("claims").remove(name)),
                value => claims[name] = value,
            }
            signed(Algorithm::HS256, &claims, &ours)
        };
        let a_second_ago = OffsetDateTime::now_utc().unix_timestamp() - 1;
        assert!(ours.verify(&signed(Algorithm::HS256, &good, &ours)).is_ok(), "the others' pattern is good");
        for (name, token, reason) in [
            ("another server's key", signed(Algorithm::HS256, &good, &theirs), Signature),
            ("another algorithm", signed(Algorithm::HS512, &good, &ours), Signature),
            ("over since a second", with("exp", json!(a_second_ago)), Expired),
            ("without an end", with("exp", Value::Null), Malformed),
            ("for the API", with("aud", json!("tidewatch-api")), OtherUse),
            ("for nothing", with("aud", Value::Null), Malformed),
            ("by somebody else", with("iss", json!("somebody")), OtherUse),
            ("without a channel", with("chn", Value::Null), Malformed),
            ("for no project", with("prj", json!("prj_x")), Malformed),
            ("by nobody", with("key", Value::Null), Malformed),
        ] {
            assert_eq!(ours.verify(&token), Err(reason), "{name}");
        }
        let encode = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let unsigned = format!("{}.{}.", encode(&json!({ "alg": "none", "typ": "JWT" })), encode(&good));
        assert_eq!(ours.verify(&unsigned.into()), Err(Malformed), "alg none is no algorithm");
        let token = signed(Algorithm::HS256, &good, &ours);
        let mut parts: Vec<String> = token.expose_secret().split('.').map(ToOwned::to_owned).collect();
        let mut altered = good.clone();
        altered["chn"] = json!("private-b");
        parts[1] = encode(&altered);
        assert_eq!(
            ours.verify(&parts.join(".").into()),
            Err(Signature),
            "another channel, the old signature"
        );
        for text in ["", ".", "..", "a.b.c", "tw_x"] {
            assert_eq!(ours.verify(&text.to_owned().into()), Err(Malformed), "{text:?}");
        }
    }

    #[test]
    fn opens_nothing_but_channels_and_nothing_else_opens_these() {
        let (access, channels) = (Tokens::new(&digester("one")), ChannelTokens::new(&digester("one")));
        let now = OffsetDateTime::now_utc();
        let (token, _) = channels.sign(project(), channel("private-a"), key(), None, now).expect("signed");
        assert!(access.verify(&token).is_none());
        let user = tidewatch_events::id::UserId::from_uuid(Uuid::from_u128(1));
        let token = access.sign(user, project(), Uuid::nil(), now).expect("signed");
        assert!(channels.verify(&token).is_err());
    }
}
