//! What all JSON Web Tokens ([RFC 7519](https://www.rfc-editor.org/rfc/rfc7519)) of this service have in common: they are
//! signed by HS256 with a key of their kind, name this service, and say for what they are.

use std::sync::Arc;

use jsonwebtoken::errors::Error;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Who signs them.
pub(super) const ISSUER: &str = "tidewatch";

/// Signs tokens of one kind and checks them. Cheap to clone; its Debug shows no key.
#[derive(Clone)]
pub(super) struct JwtKey(Arc<(EncodingKey, DecodingKey)>);

impl std::fmt::Debug for JwtKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JwtKey")
    }
}

impl JwtKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(Arc::new((EncodingKey::from_secret(key), DecodingKey::from_secret(key))))
    }

    /// A token with these claims.
    ///
    /// # Errors
    /// They cannot be written as JSON.
    pub(super) fn sign(&self, claims: &impl Serialize) -> Result<SecretString, Error> {
        self.encode(&Header::new(Algorithm::HS256), claims)
    }

    /// The same under a header of one's own: tests forge with it.
    pub(super) fn encode(&self, header: &Header, claims: &impl Serialize) -> Result<SecretString, Error> {
        jsonwebtoken::encode(header, claims, &self.0.0).map(SecretString::from)
    }

    /// What a token says, when it is ours, for this audience, has the registered claims that it must have, and has not
    /// expired. Only HS256 is accepted, whatever the token says of itself.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn verify<C: DeserializeOwned>(
        &self,
        token: &SecretString,
        audience: &str,
        required: &[&str],
    ) -> Result<C, Error> {
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_audience(&[audience]);
        validation.set_issuer(&[ISSUER]);
        validation.set_required_spec_claims(required);
        // One clock signs and checks.
        validation.leeway = 0;
        jsonwebtoken::decode(token.expose_secret(), &self.0.1, &validation).map(|token| token.claims)
    }
}
