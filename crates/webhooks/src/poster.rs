//! One POST, to a vetted address, with an end: whatever it says.

use std::error::Error;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, Response};
use url::Url;

use crate::guard::{Guard, Transport, transport};
use crate::outcome::{MAX_EXCERPT_BYTES, Outcome, retry_after};
use crate::resolver::{VettedDns, refusal_in};

/// Longest wait for a connection, its name's addresses and TLS included.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest time of an attempt.
pub const TIMEOUT: Duration = Duration::from_secs(15);
/// How the service names itself.
const USER_AGENT: &str = concat!("tidewatch-webhooks/", env!("CARGO_PKG_VERSION"));
/// Connections to one host that are kept for the next request,
const IDLE_CONNECTIONS: usize = 4;
/// and for how long.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("cannot make the HTTP client of webhooks: {0}")]
pub struct SenderError(#[from] reqwest::Error);

/// Posts to URLs that people outside have chosen, where its guard allows. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Poster {
    guard: Guard,
    secure: Client,
    plain: Client,
}

impl Poster {
    /// A poster that goes where `guard` allows. It trusts the certificate authorities of the system; where it
    /// has none, it trusts nobody, and says so in the log.
    ///
    /// # Errors
    /// See [`SenderError`].
    pub fn new(guard: Guard) -> Result<Self, SenderError> {
        match client(&guard, Transport::Secure).https_only(true).build() {
            Ok(secure) => Self::with(guard, secure),
            Err(error) => {
                tracing::warn!(%error, "this system has no certificate authorities: nothing goes out by TLS");
                Self::trusting(guard, [])
            }
        }
    }

    /// A poster that trusts these certificate authorities and no others.
    ///
    /// # Errors
    /// See [`SenderError`].
    pub fn trusting(
        guard: Guard,
        authorities: impl IntoIterator<Item = Certificate>,
    ) -> Result<Self, SenderError> {
        let secure =
            client(&guard, Transport::Secure).https_only(true).tls_certs_only(authorities).build()?;
        Self::with(guard, secure)
    }

    fn with(guard: Guard, secure: Client) -> Result<Self, SenderError> {
        // It never speaks TLS; reading the system's authorities would be for nothing.
        let plain = client(&guard, Transport::Plain).tls_certs_only([]).build()?;
        Ok(Self { guard, secure, plain })
    }

    /// Where it goes.
    #[must_use]
    pub const fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Posts once.
    pub async fn post(&self, url: &str, headers: HeaderMap, body: Bytes) -> Outcome {
        match self.guard.check(url) {
            Ok(url) => self.post_vetted(url, headers, body).await,
            Err(refusal) => Outcome::Refused(refusal),
        }
    }

    async fn post_vetted(&self, url: Url, headers: HeaderMap, body: Bytes) -> Outcome {
        let client = match transport(&url) {
            Ok(Transport::Secure) => &self.secure,
            Ok(Transport::Plain) => &self.plain,
            Err(refusal) => return Outcome::Refused(refusal),
        };
        match client.post(url).headers(headers).body(body).send().await {
            Ok(response) => {
                let status = response.status().as_u16();
                let retry_after = retry_after(status, response.headers(), SystemTime::now());
                Outcome::Answered { status, excerpt: read_excerpt(response).await, retry_after }
            }
            Err(error) => failed(error),
        }
    }
}

fn client(guard: &Guard, transport: Transport) -> ClientBuilder {
    Client::builder()
        .user_agent(USER_AGENT)
        .dns_resolver(VettedDns::new(guard.clone(), transport))
        // Both would lead to where nobody has looked.
        .redirect(Policy::none())
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .timeout(TIMEOUT)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .pool_idle_timeout(IDLE_TIMEOUT)
}

/// The beginning of the body. What cannot be read any more does not matter: the status has been said.
async fn read_excerpt(mut response: Response) -> String {
    let mut bytes = Vec::new();
    while bytes.len() < MAX_EXCERPT_BYTES {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) | Err(_) => break,
        }
    }
    bytes.truncate(MAX_EXCERPT_BYTES);
    let text = match std::str::from_utf8(&bytes) {
        // Cut in the middle of a character.
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(&bytes[..error.valid_up_to()]),
        _ => String::from_utf8_lossy(&bytes),
    };
    // Control characters but line ends are for no eyes, and Postgres stores no NUL.
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c }).collect()
}

fn failed(error: reqwest::Error) -> Outcome {
    // Its URL is the endpoint's, which whoever reads this knows, and may hold a token.
    let error = error.without_url();
    if let Some(refusal) = refusal_in(&error) {
        return Outcome::Refused(refusal);
    }
    if error.is_timeout() {
        return Outcome::TimedOut;
    }
    let reason = root_of(&error);
    if error.is_connect() { Outcome::ConnectFailed(reason) } else { Outcome::Broken(reason) }
}

/// What an error goes back to: the layers above say no more than that a request failed.
fn root_of(error: &reqwest::Error) -> String {
    let mut root: &dyn Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}
