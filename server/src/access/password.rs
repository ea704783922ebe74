//! Passwords: argon2id ([RFC 9106](https://www.rfc-editor.org/rfc/rfc9106)), with the parameters
//! that OWASP recommends (19 MiB, 2 passes, 1 lane).

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use secrecy::{ExposeSecret, SecretString};

/// Longest password, in bytes: hashing must not be made expensive by its input.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// Why a password cannot be hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// Shorter than 8 or longer than 1,024 bytes.
    #[error("a password must have 8 to {MAX_PASSWORD_BYTES} bytes")]
    Length,
    /// The hash function failed.
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

fn argon2() -> Argon2<'static> {
    Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::default())
}

/// Hashes a password with a fresh salt. Takes some 20 ms of one core: call it off the async threads.
///
/// # Errors
/// See [`PasswordError`].
pub fn hash(password: &SecretString) -> Result<String, PasswordError> {
    let password = password.expose_secret().as_bytes();
    if !(8..=MAX_PASSWORD_BYTES).contains(&password.len()) {
        return Err(PasswordError::Length);
    }
    let hash: argon2::PasswordHash =
        argon2().hash_password(password).map_err(|error| PasswordError::Hash(error.to_string()))?;
    Ok(hash.to_string())
}

/// Whether the password belongs to the hash. Without a hash (nobody by that name) it takes as long
/// and says no, so that the answer's time does not tell who exists.
#[must_use]
pub fn verify(password: &SecretString, hash: Option<&str>) -> bool {
    /// argon2id with the same parameters, of a random password that nobody has.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$dGlkZXdhdGNoLW5vYm9keQ$kRsrD9gTl9ByTmhhTX6JXJTRlxPmXc7lWX9qS7ZGBU0";
    let password = password.expose_secret().as_bytes();
    if password.len() > MAX_PASSWORD_BYTES {
        return false;
    }
    let matches = argon2().verify_password(password, hash.unwrap_or(NOBODY)).is_ok();
    matches && hash.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_its_own_hash_and_no_other() {
        let password = SecretString::from("correct horse battery");
        let hash = hash(&password).expect("hashed");
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify(&password, Some(&hash)));
        assert!(!verify(&SecretString::from("wrong horse battery"), Some(&hash)));
        assert!(!verify(&password, None));
        assert!(!verify(&password, Some("no hash at all")));
    }
}
