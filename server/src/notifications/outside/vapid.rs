//! By what push services know this server: a key pair, made once, and what it signs
//! ([RFC 8292](https://www.rfc-editor.org/rfc/rfc8292)).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::Serialize;
use sqlx::PgPool;
use time::{Duration, OffsetDateTime};
use url::Url;
use web_push_native::p256::SecretKey;
use web_push_native::p256::elliptic_curve::sec1::ToEncodedPoint;
use web_push_native::p256::pkcs8::EncodePrivateKey;

use crate::access::seal::Sealer;
use crate::access::secret::random_bytes;
use crate::db;
use crate::error::Error;

/// Under which name the key is kept, and what its seal is bound to.
const NAME: &str = "web push";
/// How long a signature counts: 24 hours are the most.
const LIFE: Duration = Duration::hours(12);

/// The key pair. Its Debug does not show the private one.
#[derive(Clone)]
pub struct VapidKey {
    signing: EncodingKey,
    public: String,
}

impl std::fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VapidKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: String,
    exp: i64,
    sub: &'a str,
}

impl VapidKey {
    /// The server's key, made where there is none yet. All instances have the same one.
    ///
    /// One that cannot be opened, since the server's own secret is another one than when it was sealed, is made anew;
    /// browsers that subscribed under the old one cannot be reached any more and are forgotten.
    ///
    /// # Errors
    /// Postgres or the operating system refused.
    pub async fn ensure(pool: &PgPool, sealer: &Sealer) -> Result<Self, Error> {
        let fresh = seal(sealer, &new_secret())?;
        let kept = db::secrets::ensure(pool, NAME, &fresh).await?;
        if let Some(key) = open(sealer, &kept) {
            return Self::new(&key);
        }
        tracing::warn!(
            "the key of Web Push cannot be read, since the server's own secret was changed: there is a new one, and \
             browsers have to subscribe again"
        );
        let kept = db::secrets::replace_push_key(pool, NAME, &kept, &fresh).await?;
        let key = open(sealer, &kept).ok_or_else(|| {
            Error::Internal(
                "another instance has another secret of the server: TIDEWATCH_SECRET differs".to_owned(),
            )
        })?;
        Self::new(&key)
    }

    fn new(key: &SecretKey) -> Result<Self, Error> {
        let der = key.to_pkcs8_der().map_err(|error| Error::Internal(error.to_string()))?;
        let public = key.public_key().to_encoded_point(false);
        Ok(Self {
            signing: EncodingKey::from_ec_der(der.as_bytes()),
            public: URL_SAFE_NO_PAD.encode(public.as_bytes()),
        })
    }

    /// The public key, as browsers take it for `applicationServerKey`.
    #[must_use]
    pub fn public(&self) -> &str {
        &self.public
    }

    /// The value of `Authorization` for a message to this endpoint. `contact`: to whom the push service turns,
    /// `mailto:` or `https:`.
    ///
    /// # Errors
    /// It cannot be signed.
    pub fn authorization(
        &self,
        endpoint: &Url,
        contact: &str,
        now: OffsetDateTime,
    ) -> Result<String, jsonwebtoken::errors::Error> {
        let claims = Claims {
            aud: endpoint.origin().ascii_serialization(),
            exp: (now + LIFE).unix_timestamp(),
            sub: contact,
        };
        let token = jsonwebtoken::encode(&Header::new(Algorithm::ES256), &claims, &self.signing)?;
        Ok(format!("vapid t={token}, k={}", self.public))
    }
}

fn new_secret() -> SecretKey {
    loop {
        // All but some in 2^32 are a scalar of the curve.
        if let Ok(key) = SecretKey::from_slice(&random_bytes()) {
            return key;
        }
    }
}

fn seal(sealer: &Sealer, key: &SecretKey) -> Result<Vec<u8>, Error> {
    let text = SecretString::from(URL_SAFE_NO_PAD.encode(key.to_bytes()));
    sealer
        .seal(NAME.as_bytes(), text.expose_secret().as_bytes())
        .map_err(|error| Error::Internal(error.to_string()))
}

fn open(sealer: &Sealer, sealed: &[u8]) -> Option<SecretKey> {
    let text = sealer.open(NAME.as_bytes(), sealed).ok()?;
    let bytes = SecretSlice::from(URL_SAFE_NO_PAD.decode(text.expose_secret()).ok()?);
    SecretKey::from_slice(bytes.expose_secret()).ok()
}

#[cfg(test)]
mod tests {
    use jsonwebtoken::{DecodingKey, Validation};
    use serde_json::Value;

    use super::*;
    use crate::access::secret::Digester;

    #[test]
    fn what_it_signs_is_verified_by_its_public_key() {
        let key = VapidKey::new(&new_secret()).expect("a key");
        let endpoint = "https://push.example:8443/send/abc?x=y".parse().expect("a URL");
        let now = OffsetDateTime::now_utc();
        let header = key.authorization(&endpoint, "mailto:ops@example.com", now).expect("signed");
        let (token, public) =
            header.strip_prefix("vapid t=").and_then(|rest| rest.split_once(", k=")).expect("its form");
        assert_eq!(public, key.public());
        let point = URL_SAFE_NO_PAD.decode(public).expect("base 64");
        assert_eq!((point.len(), point[0]), (65, 4), "an uncompressed point");
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_audience(&["https://push.example:8443"]);
        let verified = jsonwebtoken::decode::<Value>(token, &DecodingKey::from_ec_der(&point), &validation);
        let claims = verified.expect("verified").claims;
        assert_eq!(claims["sub"], "mailto:ops@example.com");
        assert!(claims["exp"].as_i64().expect("a time") <= (now + Duration::hours(24)).unix_timestamp());
    }

    #[test]
    fn is_kept_sealed() {
        let sealer = |secret: u8| Sealer::new(&Digester::new(vec![secret; 32]));
        let key = new_secret();
        let sealed = seal(&sealer(1), &key).expect("sealed");
        assert_eq!(open(&sealer(1), &sealed).as_ref(), Some(&key));
        assert!(open(&sealer(2), &sealed).is_none());
        let shown = format!("{:?}", VapidKey::new(&key).expect("a key"));
        assert!(!shown.contains(&URL_SAFE_NO_PAD.encode(key.to_bytes())));
    }
}
