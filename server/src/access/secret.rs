//! Secrets: how they are made, and the keyed digest under which they are kept.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use rand::Rng;
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

/// What an API key begins with, so that people and secret scanners know one.
pub const API_KEY_PREFIX: &str = "tw_";

/// Makes digests of secrets under a key of the server's own: who reads the database can neither
/// use a digest nor try guesses against it. Equality of digests is looked up by an index; it says
/// nothing about how much of a guess was right, for that is what HMAC is for.
#[derive(Clone)]
pub struct Digester {
    key: std::sync::Arc<SecretSlice<u8>>,
}

impl std::fmt::Debug for Digester {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Digester")
    }
}

impl Digester {
    /// A digester with this key.
    #[must_use]
    pub fn new(key: Vec<u8>) -> Self {
        Self { key: std::sync::Arc::new(key.into()) }
    }

    /// HMAC-SHA-256 of `secret`. `purpose` keeps digests of different kinds apart.
    #[must_use]
    pub fn digest(&self, purpose: &str, secret: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length, so this never is an error.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.expose_secret()) else {
            return [0; 32];
        };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(secret);
        mac.finalize().into_bytes().into()
    }

    /// The digest under which an API key is kept.
    #[must_use]
    pub fn api_key(&self, key: &str) -> [u8; 32] {
        self.digest("api key", key.as_bytes())
    }

    /// The digest under which a session is kept.
    #[must_use]
    pub fn session(&self, id: &tower_sessions::session::Id) -> [u8; 32] {
        self.digest("session", &id.0.to_be_bytes())
    }

    /// The digest under which a refresh token is kept.
    #[must_use]
    pub fn refresh_token(&self, token: &str) -> [u8; 32] {
        self.digest("refresh token", token.as_bytes())
    }

    /// The digest under which an invitation is kept.
    #[must_use]
    pub fn invitation(&self, token: &str) -> [u8; 32] {
        self.digest("invitation", token.as_bytes())
    }

    /// The key that signs access tokens.
    #[must_use]
    pub fn signing_key(&self) -> [u8; 32] {
        self.digest("access token", b"HS256")
    }

    /// The key under which secrets are sealed: drawn by HKDF-SHA-256
    /// ([RFC 5869](https://www.rfc-editor.org/rfc/rfc5869)).
    #[must_use]
    pub fn sealing_key(&self) -> [u8; 32] {
        let mut key = [0; 32];
        // It gives up to 255 digests' worth of bytes; this is one.
        let _ =
            Hkdf::<Sha256>::new(None, self.key.expose_secret()).expand(b"tidewatch sealed secrets", &mut key);
        key
    }
}

/// A new refresh token: 256 bits.
#[must_use]
pub fn new_refresh_token() -> SecretString {
    format!("twr_{}", URL_SAFE_NO_PAD.encode(random_bytes())).into()
}

/// The secret of a new invitation's link: 256 bits.
#[must_use]
pub fn new_invitation() -> SecretString {
    URL_SAFE_NO_PAD.encode(random_bytes()).into()
}

/// The last characters of a key, by which people tell keys apart; too few to help a guess.
#[must_use]
pub fn hint_of(key: &SecretString) -> &str {
    let key = key.expose_secret();
    key.get(key.len().saturating_sub(4)..).unwrap_or_default()
}

/// 32 random bytes from the operating system's generator.
#[must_use]
pub fn random_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rng().fill_bytes(&mut bytes);
    bytes
}

/// A new API key: `tw_` and 43 characters, 256 bits.
#[must_use]
pub fn new_api_key() -> SecretString {
    format!("{API_KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode(random_bytes())).into()
}

/// A password for a demo account: 24 characters, 144 bits.
#[must_use]
pub fn new_password() -> SecretString {
    URL_SAFE_NO_PAD.encode(&random_bytes()[..18]).into()
}
