//! Web Push: a message is encrypted for one browser ([RFC 8291](https://www.rfc-editor.org/rfc/rfc8291)) and posted to
//! its push service ([RFC 8030](https://www.rfc-editor.org/rfc/rfc8030)).
//!
//! Where that is, browsers say, and so whoever holds a session: it is vetted as webhooks' addresses are.

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use tidewatch_app::model::NotificationPriority;
use tidewatch_webhooks::{Outcome, Poster};
use time::OffsetDateTime;
use url::Url;
use web_push_native::p256::PublicKey;
use web_push_native::{Auth, encrypt};

use super::vapid::VapidKey;
use crate::db::push_subscriptions::PushSubscription;

/// How long a push service keeps a message for a browser that is away, in seconds.
const TIME_TO_LIVE: u32 = 24 * 60 * 60;
/// Most bytes of a message before it is encrypted, of 3,993 that push services have to take.
const MAX_MESSAGE: usize = 3_000;
/// Bytes of what browser and server share.
const AUTH: usize = 16;
/// As browsers write their keys, with or without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_encode_padding(false),
);

/// What is shown on a screen; the service worker reads it (`server/embed/push-worker.js`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PushMessage {
    /// The notification: shown twice, it is one.
    pub id: String,
    /// In a line.
    pub title: String,
    /// Beyond that.
    pub body: String,
    /// Where to go on.
    pub url: String,
    /// Whether it stays on the screen until somebody does something about it.
    pub must_acknowledge: bool,
}

impl PushMessage {
    /// The message as JSON, its body cut so that a push service takes it.
    fn into_json(mut self) -> Result<Vec<u8>, serde_json::Error> {
        loop {
            let json = serde_json::to_vec(&self)?;
            if json.len() <= MAX_MESSAGE || self.body.is_empty() {
                return Ok(json);
            }
            let kept = self.body.chars().count() / 2;
            self.body = self.body.chars().take(kept).collect();
            if !self.body.is_empty() {
                self.body.push('…');
            }
            if kept <= 1 {
                self.body.clear();
            }
        }
    }
}

/// Why a browser cannot be told anything.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// Its public key is none.
    #[error("is no public key of P-256 in base64url")]
    PublicKey,
    /// What it shares is not of its length.
    #[error("must be {AUTH} bytes in base64url")]
    Auth,
}

/// A browser's keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    public: PublicKey,
    auth: [u8; AUTH],
}

impl Keys {
    /// Reads them as browsers give them.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub fn read(p256dh: &str, auth: &str) -> Result<Self, KeysError> {
        let point = BASE64.decode(p256dh).map_err(|_| KeysError::PublicKey)?;
        // Uncompressed, as the Push API has it.
        let public = (point.len() == 65).then(|| PublicKey::from_sec1_bytes(&point).ok()).flatten();
        let auth = BASE64.decode(auth).ok().and_then(|bytes| <[u8; AUTH]>::try_from(bytes).ok());
        Ok(Self { public: public.ok_or(KeysError::PublicKey)?, auth: auth.ok_or(KeysError::Auth)? })
    }

    fn encrypt(&self, message: Vec<u8>) -> Result<Vec<u8>, web_push_native::Error> {
        encrypt(message, &self.public, &Auth::from(self.auth))
    }
}

/// Why nothing was posted.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the message: {0}")]
pub struct PushError(String);

/// Pushes. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Pusher {
    poster: Poster,
    key: VapidKey,
    /// To whom push services turn.
    contact: String,
}

impl Pusher {
    /// Pushes under this key, where the poster's guard allows.
    #[must_use]
    pub const fn new(poster: Poster, key: VapidKey, contact: String) -> Self {
        Self { poster, key, contact }
    }

    /// The key under which browsers subscribe.
    #[must_use]
    pub fn public_key(&self) -> &str {
        self.key.public()
    }

    /// Reads a push service's URL, and checks what can be known of it.
    ///
    /// # Errors
    /// See [`tidewatch_webhooks::Refusal`].
    pub fn check(&self, endpoint: &str) -> Result<Url, tidewatch_webhooks::Refusal> {
        self.poster.guard().check(endpoint)
    }

    /// Posts a message to a browser's push service once.
    ///
    /// # Errors
    /// The browser's keys are none, or nothing can be signed.
    pub async fn push(
        &self,
        to: &PushSubscription,
        message: PushMessage,
        priority: NotificationPriority,
    ) -> Result<Outcome, PushError> {
        let broken = |error: &dyn std::fmt::Display| PushError(error.to_string());
        let endpoint = match self.check(&to.endpoint) {
            Ok(endpoint) => endpoint,
            Err(refusal) => return Ok(Outcome::Refused(refusal)),
        };
        let json = message.into_json().map_err(|error| broken(&error))?;
        let keys = Keys::read(&to.p256dh, &to.auth).map_err(|error| broken(&error))?;
        let body = keys.encrypt(json).map_err(|error| broken(&error))?;
        let signed = self.key.authorization(&endpoint, &self.contact, OffsetDateTime::now_utc());
        let mut authorization = HeaderValue::from_str(&signed.map_err(|error| broken(&error))?)
            .map_err(|error| broken(&error))?;
        authorization.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (AUTHORIZATION, authorization),
            (CONTENT_ENCODING, HeaderValue::from_static("aes128gcm")),
            (CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
            (HeaderName::from_static("ttl"), HeaderValue::from(TIME_TO_LIVE)),
            (HeaderName::from_static("urgency"), HeaderValue::from_static(urgency(priority))),
        ]);
        Ok(self.poster.post(&to.endpoint, headers, Bytes::from(body)).await)
    }
}

/// How soon a browser is woken ([RFC 8030, section 5.3](https://www.rfc-editor.org/rfc/rfc8030#section-5.3)).
const fn urgency(priority: NotificationPriority) -> &'static str {
    match priority {
        NotificationPriority::Low => "low",
        NotificationPriority::Normal => "normal",
        NotificationPriority::High => "high",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of [RFC 8291, section 5](https://www.rfc-editor.org/rfc/rfc8291#section-5).
    const P256DH: &str =
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4";
    const SHARED: &str = "BTBZMqHH6r4Tts7J_aSIgg";

    #[test]
    fn reads_keys_as_browsers_give_them() {
        let keys = Keys::read(P256DH, SHARED).expect("keys");
        assert_eq!(Keys::read(&format!("{P256DH}="), &format!("{SHARED}==")), Ok(keys), "with padding");
        for (p256dh, auth, error) in [
            ("", SHARED, KeysError::PublicKey),
            (&P256DH[..80], SHARED, KeysError::PublicKey),
            (&P256DH.replace('B', "C"), SHARED, KeysError::PublicKey),
            (P256DH, "", KeysError::Auth),
            (P256DH, P256DH, KeysError::Auth),
            (P256DH, "not base 64!", KeysError::Auth),
        ] {
            assert_eq!(Keys::read(p256dh, auth), Err(error), "{p256dh} {auth}");
        }
    }

    #[test]
    fn a_long_message_is_cut_and_never_in_a_character() {
        let message = |body: String| PushMessage {
            id: "ntf_1".to_owned(),
            title: "t".repeat(200),
            body,
            url: "u".repeat(500),
            must_acknowledge: false,
        };
        for body in ["€".repeat(2_000), "\u{1}".repeat(2_000), "short".to_owned(), String::new()] {
            let json = message(body.clone()).into_json().expect("JSON");
            assert!(json.len() <= MAX_MESSAGE);
            let read: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
            let kept = read["body"].as_str().expect("text").trim_end_matches('…');
            assert!(body.starts_with(kept) && (body.is_empty() || !kept.is_empty()));
        }
    }
}
