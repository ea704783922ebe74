//! Signatures: `v1`, which is HMAC-SHA-256
//! ([specification](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#signature-scheme)).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::SigningSecret;

/// The header that carries the webhook's id: the same at each attempt.
pub const HEADER_ID: &str = "webhook-id";
/// The header that carries the time of the attempt, in seconds since 1970.
pub const HEADER_TIMESTAMP: &str = "webhook-timestamp";
/// The header that carries the signatures, with spaces between them.
pub const HEADER_SIGNATURE: &str = "webhook-signature";

/// The value of [`HEADER_SIGNATURE`]: one signature a secret, in their order. `timestamp` is in seconds since
/// 1970. The id must hold no `.`, for what is signed is `{id}.{timestamp}.{body}`.
#[must_use]
pub fn sign(secrets: &[SigningSecret], id: &str, timestamp: u64, body: &[u8]) -> String {
    let signatures = secrets.iter().filter_map(|secret| {
        // HMAC takes keys of any length, so none is ever left out.
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.key()).ok()?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> SigningSecret {
        SigningSecret::parse(&text.into()).expect("a secret")
    }

    /// The vector that the specification's reference libraries share ("sign function works").
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: u64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn signs_as_the_reference_libraries_do() {
        assert_eq!(sign(&[secret(SECRET)], ID, TIMESTAMP, BODY), SIGNATURE);
    }

    #[test]
    fn each_part_counts() {
        for (id, timestamp, body) in
            [("msg_other", TIMESTAMP, BODY), (ID, TIMESTAMP + 1, BODY), (ID, TIMESTAMP, b"{}".as_slice())]
        {
            assert_ne!(sign(&[secret(SECRET)], id, timestamp, body), SIGNATURE);
        }
    }

    #[test]
    fn while_a_secret_is_rotated_both_sign() {
        let new = SigningSecret::generate().expect("random bytes");
        let both = sign(&[new.clone(), secret(SECRET)], ID, TIMESTAMP, BODY);
        let alone = sign(&[new], ID, TIMESTAMP, BODY);
        assert_eq!(both, format!("{alone} {SIGNATURE}"));
    }
}
