//! Signing secrets: `whsec_` and the base 64 of 24 to 64 random bytes.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::{ExposeSecret, SecretSlice, SecretString};

/// What the text of a secret begins with, so that people and secret scanners know one.
pub const SECRET_PREFIX: &str = "whsec_";
/// Bytes of a new secret: as many as the digest of HMAC-SHA-256 has.
const NEW_BYTES: usize = 32;
/// Bytes that the specification allows: 192 to 512 bits.
const ALLOWED_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// Why there is no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The text does not begin with [`SECRET_PREFIX`].
    #[error("must begin with `{SECRET_PREFIX}`")]
    Prefix,
    /// What follows is no base 64.
    #[error("must be `{SECRET_PREFIX}` and base 64")]
    Base64,
    /// It has fewer than 24 or more than 64 bytes.
    #[error("must be the base 64 of 24 to 64 bytes")]
    Length,
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
}

/// A secret that sender and receiver share. Its `Debug` shows nothing of it.
#[derive(Clone)]
pub struct SigningSecret(SecretSlice<u8>);

impl SigningSecret {
    /// A new one: 256 bits from the operating system.
    ///
    /// # Errors
    /// The operating system gave none.
    pub fn generate() -> Result<Self, SecretError> {
        let mut bytes = vec![0; NEW_BYTES];
        SysRng.try_fill_bytes(&mut bytes).map_err(|_| SecretError::NoRandomness)?;
        Ok(Self(bytes.into()))
    }

    /// Reads the text of a secret.
    ///
    /// # Errors
    /// See [`SecretError`].
    pub fn parse(text: &SecretString) -> Result<Self, SecretError> {
        let encoded = text.expose_secret().strip_prefix(SECRET_PREFIX).ok_or(SecretError::Prefix)?;
        let bytes: SecretSlice<u8> = STANDARD.decode(encoded).map_err(|_| SecretError::Base64)?.into();
        if ALLOWED_BYTES.contains(&bytes.expose_secret().len()) {
            Ok(Self(bytes))
        } else {
            Err(SecretError::Length)
        }
    }

    /// The text that the receiver is given.
    #[must_use]
    pub fn reveal(&self) -> SecretString {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(self.0.expose_secret())).into()
    }

    /// The key of the HMAC.
    pub(crate) fn key(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

impl fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningSecret")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_secret_reads_back_and_is_no_other_s() {
        let secret = SigningSecret::generate().expect("random bytes");
        let text = secret.reveal();
        assert!(text.expose_secret().starts_with("whsec_"));
        let read = SigningSecret::parse(&text).expect("a secret");
        assert_eq!((read.key(), read.key().len()), (secret.key(), 32));
        assert_ne!(secret.key(), SigningSecret::generate().expect("random bytes").key());
        assert_eq!(format!("{secret:?}"), "SigningSecret");
    }

    #[test]
    fn only_what_the_specification_allows_is_a_secret() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for (text, error) in [
            (of(23), SecretError::Length),
            (of(65), SecretError::Length),
            (of(0), SecretError::Length),
            (of(32).replace("whsec_", ""), SecretError::Prefix),
            ("whsec_no base 64".to_owned(), SecretError::Base64),
        ] {
            assert_eq!(SigningSecret::parse(&text.clone().into()).expect_err("none"), error, "{text}");
        }
        for bytes in [24, 64] {
            assert!(SigningSecret::parse(&of(bytes).into()).is_ok());
        }
    }
}
