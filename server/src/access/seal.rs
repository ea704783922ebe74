//! Secrets that have to be read again, sealed: encrypted under a key of the server's own and bound to what they
//! belong to, so that who reads or moves a row of the database gains nothing by it.

use std::sync::Arc;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand::TryRng;
use rand::rngs::SysRng;
use secrecy::{SecretSlice, SecretString};

use super::secret::Digester;

/// Bytes of the nonce, which stands before what is sealed.
const NONCE_BYTES: usize = 24;

/// Why something is not sealed, or cannot be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It was sealed under another key or for something else, or is damaged.
    #[error("the secret was sealed under another key of the server, or is damaged")]
    Opaque,
    /// The operating system gave no random bytes.
    #[error("the operating system gives no random bytes")]
    NoRandomness,
}

/// Seals secrets by XChaCha20-Poly1305
/// ([draft-irtf-cfrg-xchacha](https://datatracker.ietf.org/doc/html/draft-irtf-cfrg-xchacha)) under a key that is
/// derived from the server's secret. Its nonces are long enough to be drawn at random. Cheap to clone.
#[derive(Clone)]
pub struct Sealer(Arc<XChaCha20Poly1305>);

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealer")
    }
}

impl Sealer {
    /// A sealer whose key is drawn from the server's secret.
    #[must_use]
    pub fn new(digester: &Digester) -> Self {
        Self(Arc::new(XChaCha20Poly1305::new(&digester.sealing_key().into())))
    }

    /// Seals a secret that belongs to `owner`, such as the id of what has it.
    ///
    /// # Errors
    /// [`SealError::NoRandomness`].
    pub fn seal(&self, owner: &[u8], secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        SysRng.try_fill_bytes(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        let payload = Payload { msg: secret, aad: owner };
        // Only a secret of many gigabytes could not be sealed.
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Opaque)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what was sealed for `owner`.
    ///
    /// # Errors
    /// [`SealError::Opaque`].
    pub fn open(&self, owner: &[u8], sealed: &[u8]) -> Result<SecretString, SealError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Opaque)?;
        let payload = Payload { msg: sealed, aad: owner };
        let opened = self.0.decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::Opaque)?;
        String::from_utf8(opened).map(SecretString::from).map_err(|error| {
            // It is wiped, whatever it is.
            drop(SecretSlice::from(error.into_bytes()));
            SealError::Opaque
        })
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn sealer(secret: &str) -> Sealer {
        Sealer::new(&Digester::new(secret.as_bytes().to_vec()))
    }

    #[test]
    fn opens_what_it_sealed_for_its_owner_alone() {
        let sealer = sealer("one");
        let sealed = sealer.seal(b"whk_1", b"whsec_x").expect("sealed");
        assert_eq!(sealer.open(b"whk_1", &sealed).expect("opened").expose_secret(), "whsec_x");
        assert!(!sealed.windows(7).any(|part| part == b"whsec_x"));
        assert_ne!(sealed, sealer.seal(b"whk_1", b"whsec_x").expect("sealed"), "each time another nonce");
        assert_eq!(sealer.open(b"whk_2", &sealed).expect_err("moved"), SealError::Opaque);
        assert_eq!(self::sealer("two").open(b"whk_1", &sealed).expect_err("another key"), SealError::Opaque);
    }

    #[test]
    fn finds_every_damage() {
        let sealer = sealer("one");
        let sealed = sealer.seal(b"", b"whsec_x").expect("sealed");
        for place in 0..sealed.len() {
            let mut damaged = sealed.clone();
            damaged[place] ^= 1;
            assert!(sealer.open(b"", &damaged).is_err(), "{place}");
            assert!(sealer.open(b"", &sealed[..place]).is_err(), "cut at {place}");
        }
    }
}
