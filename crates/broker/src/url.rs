//! Where a broker is.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// Where a broker is, and as whom it is spoken to. Its Debug does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct BrokerUrl(Url);

/// The text is no address of a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be an address such as redis://user:password@host:6379, rediss://… for TLS, nats://host:4222 or tls://…"
)]
pub struct BrokerUrlError;

impl BrokerUrl {
    /// The address as text, with the password in it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is one of Redis.
    #[must_use]
    pub fn is_redis(&self) -> bool {
        matches!(self.0.scheme(), "redis" | "rediss")
    }

    /// Whether it is one of NATS.
    #[must_use]
    pub fn is_nats(&self) -> bool {
        matches!(self.0.scheme(), "nats" | "tls")
    }
}

impl fmt::Debug for BrokerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.0.scheme(), self.0.host_str().unwrap_or_default())?;
        self.0.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl FromStr for BrokerUrl {
    type Err = BrokerUrlError;

    fn from_str(text: &str) -> Result<Self, BrokerUrlError> {
        let url = Self(Url::parse(text).map_err(|_| BrokerUrlError)?);
        let has_host = url.0.host_str().is_some_and(|host| !host.is_empty());
        if has_host && (url.is_redis() || url.is_nats()) { Ok(url) } else { Err(BrokerUrlError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_its_broker_and_hides_its_password() {
        for (text, is_redis, shown) in [
            ("redis://ann:hunter2@10.0.0.1:6379/2", true, "redis://10.0.0.1:6379"),
            ("rediss://:hunter2@cache.example", true, "rediss://cache.example"),
            ("nats://ann:hunter2@127.0.0.1:4222", false, "nats://127.0.0.1:4222"),
            ("tls://nats.example", false, "tls://nats.example"),
        ] {
            let url: BrokerUrl = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!((url.is_redis(), url.is_nats()), (is_redis, !is_redis), "{text}");
            assert_eq!(format!("{url:?}"), shown);
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "redis", "redis://", "10.0.0.1:6379", "http://127.0.0.1", "amqp://127.0.0.1"] {
            assert_eq!(text.parse::<BrokerUrl>(), Err(BrokerUrlError), "{text}");
        }
    }
}
