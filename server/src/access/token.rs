//! Access tokens: JSON Web Tokens ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) for people who
//! use the API.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tidewatch_events::ProjectId;
use tidewatch_events::id::UserId;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::credential::Credential;
use super::jwt::{ISSUER, JwtKey};
use super::secret::Digester;

/// How long an access token counts.
pub const ACCESS_LIFE: Duration = Duration::minutes(10);
/// How long a login of an API user can be renewed.
pub const REFRESH_LIFE: Duration = Duration::days(30);
/// Whom access tokens are for. A token that was signed for something else opens nothing here.
const AUDIENCE: &str = "tidewatch-api";

#[derive(Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: UserId,
    /// The project.
    prj: ProjectId,
    /// The login that the token goes back to.
    sid: Uuid,
    iat: i64,
    exp: i64,
    jti: Uuid,
}

/// Signs access tokens and checks them. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Tokens {
    key: JwtKey,
}

impl Tokens {
    /// Signs with a key that is drawn from the server's secret.
    #[must_use]
    pub fn new(digester: &Digester) -> Self {
        Self { key: JwtKey::new(&digester.signing_key()) }
    }

    /// A token for this person in this project, by this login.
    ///
    /// # Errors
    /// The claims cannot be written as JSON.
    pub fn sign(
        &self,
        user: UserId,
        project: ProjectId,
        family: Uuid,
        now: OffsetDateTime,
    ) -> Result<SecretString, jsonwebtoken::errors::Error> {
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: AUDIENCE.to_owned(),
            sub: user,
            prj: project,
            sid: family,
            iat: now.unix_timestamp(),
            exp: (now + ACCESS_LIFE).unix_timestamp(),
            jti: Uuid::now_v7(),
        };
        self.key.sign(&claims)
    }

    /// What a token says, when it is ours, for us, and has not expired. Only HS256 is accepted,
    /// whatever the token says of itself.
    #[must_use]
    pub fn verify(&self, token: &SecretString) -> Option<Credential> {
        let claims: Claims = self
            .key
            .verify(token, AUDIENCE, &["exp", "aud", "iss", "sub"])
            .inspect_err(|error| tracing::debug!(%error, "an access token was refused"))
            .ok()?;
        Some(Credential::Token {
            family: claims.sid,
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
    use secrecy::ExposeSecret;

    use super::*;

    fn tokens(secret: &str) -> Tokens {
        Tokens::new(&Digester::new(secret.as_bytes().to_vec()))
    }

    fn user() -> UserId {
        UserId::from_uuid(Uuid::from_u128(1))
    }

    fn project() -> ProjectId {
        ProjectId::from_uuid(Uuid::from_u128(2))
    }

    fn claims() -> serde_json::Value {
        serde_json::json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": user(), "prj": project(), "sid": Uuid::nil(), "jti": Uuid::nil(),
            "iat": 0, "exp": OffsetDateTime::now_utc().unix_timestamp() + 600,
        })
    }

    fn signed(header: &Header, claims: &serde_json::Value, tokens: &Tokens) -> SecretString {
        tokens.key.encode(header, claims).expect("signed")
    }

    #[test]
    fn reads_what_it_signed() {
        let tokens = tokens("one");
        let now = OffsetDateTime::now_utc();
        let token = tokens.sign(user(), project(), Uuid::nil(), now).expect("signed");
        let Some(Credential::Token { family, user: who, project: of, expires_at }) = tokens.verify(&token)
        else {
            panic!("refused")
        };
        assert_eq!((family, who, of), (Uuid::nil(), user(), project()));
        assert_eq!(expires_at.unix_timestamp(), (now + ACCESS_LIFE).unix_timestamp());
    }

    #[test]
    fn refuses_what_is_stolen_altered_or_made_up() {
        let ours = tokens("one");
        let good = claims();
        let hs256 = Header::new(Algorithm::HS256);
        assert!(ours.verify(&signed(&hs256, &good, &ours)).is_some(), "the pattern of the others is good");
        assert!(ours.verify(&signed(&hs256, &good, &tokens("two"))).is_none(), "another key");
        assert!(
            ours.verify(&signed(&Header::new(Algorithm::HS512), &good, &ours)).is_none(),
            "another algorithm"
        );
        for (claim, value) in [
            ("exp", serde_json::json!(OffsetDateTime::now_utc().unix_timestamp() - 1)),
            ("exp", serde_json::Value::Null),
            ("aud", serde_json::json!("somebody-else")),
            ("aud", serde_json::Value::Null),
            ("iss", serde_json::json!("somebody-else")),
            ("sub", serde_json::json!("prj_01h455vb4pex5vsknk084sn02q")),
            ("prj", serde_json::Value::Null),
        ] {
            let mut altered = good.clone();
            if value.is_null() {
                altered.as_object_mut().expect("claims").remove(claim);
            } else {
                altered[claim] = value;
            }
            assert!(ours.verify(&signed(&hs256, &altered, &ours)).is_none(), "{claim}: {altered}");
        }
        let encode = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let none =
            format!("{}.{}.", encode(&serde_json::json!({ "alg": "none", "typ": "JWT" })), encode(&good));
        assert!(ours.verify(&none.into()).is_none(), "no signature");
        let token = signed(&hs256, &good, &ours);
        let mut parts: Vec<String> = token.expose_secret().split('.').map(ToOwned::to_owned).collect();
        let mut other = good;
        other["prj"] = serde_json::json!(ProjectId::from_uuid(Uuid::from_u128(3)));
        parts[1] = encode(&other);
        assert!(ours.verify(&parts.join(".").into()).is_none(), "another project under the old signature");
        for text in ["", ".", "..", "a.b.c", "tw_x"] {
            assert!(ours.verify(&text.to_owned().into()).is_none(), "{text:?}");
        }
    }
}
