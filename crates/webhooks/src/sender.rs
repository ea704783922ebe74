//! Sending: a webhook is signed, and posted once.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use reqwest::Certificate;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use crate::guard::Guard;
use crate::outcome::{Attempt, Outcome};
use crate::poster::{Poster, SenderError};
use crate::secret::SigningSecret;
use crate::signature::{HEADER_ID, HEADER_SIGNATURE, HEADER_TIMESTAMP, sign};

/// A webhook that is to be sent.
#[derive(Debug, Clone)]
pub struct Message<'a> {
    /// Which one: the same at each attempt, by which the receiver drops what it has. Holds no `.`.
    pub id: &'a str,
    /// What signs it: the endpoint's secret, and the one before while it is rotated.
    pub secrets: &'a [SigningSecret],
    /// JSON.
    pub body: Bytes,
    /// In which trace it is sent ([W3C Trace Context](https://www.w3.org/TR/trace-context/)); `None`: in none.
    pub traceparent: Option<&'a str>,
}

/// Sends webhooks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Sender {
    poster: Poster,
}

impl Sender {
    /// A sender that goes where `guard` allows. It trusts the certificate authorities of the system; where it
    /// has none, it trusts nobody, and says so in the log.
    ///
    /// # Errors
    /// See [`SenderError`].
    pub fn new(guard: Guard) -> Result<Self, SenderError> {
        Poster::new(guard).map(|poster| Self { poster })
    }

    /// A sender that trusts these certificate authorities and no others.
    ///
    /// # Errors
    /// See [`SenderError`].
    pub fn trusting(
        guard: Guard,
        authorities: impl IntoIterator<Item = Certificate>,
    ) -> Result<Self, SenderError> {
        Poster::trusting(guard, authorities).map(|poster| Self { poster })
    }

    /// Where it goes.
    #[must_use]
    pub const fn guard(&self) -> &Guard {
        self.poster.guard()
    }

    /// Sends a webhook once, signed as of now.
    pub async fn send(&self, url: &str, message: Message<'_>) -> Attempt {
        let begun = Instant::now();
        let outcome = match headers_of(&message) {
            Ok(headers) => self.poster.post(url, headers, message.body).await,
            Err(error) => Outcome::Broken(format!("it cannot be sent: {error}")),
        };
        Attempt { duration: begun.elapsed(), outcome }
    }
}

fn headers_of(message: &Message<'_>) -> Result<HeaderMap, reqwest::header::InvalidHeaderValue> {
    let timestamp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let signature = sign(message.secrets, message.id, timestamp, &message.body);
    let mut headers = HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (HeaderName::from_static(HEADER_ID), HeaderValue::from_str(message.id)?),
        (HeaderName::from_static(HEADER_TIMESTAMP), HeaderValue::from(timestamp)),
        (HeaderName::from_static(HEADER_SIGNATURE), HeaderValue::from_str(&signature)?),
    ]);
    if let Some(traceparent) = message.traceparent {
        headers.insert(HeaderName::from_static("traceparent"), HeaderValue::from_str(traceparent)?);
    }
    Ok(headers)
}
