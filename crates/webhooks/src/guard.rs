//! Where webhooks may go. Their URLs are chosen by people outside, and this service reaches networks that those
//! people do not: without a guard it would carry their requests there
//! ([SSRF](https://cheatsheetseries.owasp.org/cheatsheets/Server_Side_Request_Forgery_Prevention_Cheat_Sheet.html)).

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use url::{Host, Url};

use crate::network::special;

/// Longest URL, in bytes.
pub const MAX_URL_LEN: usize = 2_000;

/// Why nothing is sent to a URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is none.
    #[error("is no URL: {0}")]
    Url(url::ParseError),
    /// It is longer than [`MAX_URL_LEN`].
    #[error("has more than {MAX_URL_LEN} bytes")]
    TooLong,
    /// It is of another scheme than `https`.
    #[error("must begin with https://")]
    Scheme,
    /// It is of the scheme `http`, and not in a network that was allowed.
    #[error("must begin with https://; plain http:// is for networks that the configuration allows")]
    Plain,
    /// It holds a name or a password, which would be kept and shown.
    #[error("must hold no name and no password")]
    Credentials,
    /// Its host is, or stands for, no public address, and none that was allowed.
    #[error("leads to {address}, which is {what}; only public addresses are allowed")]
    Address {
        /// The address.
        address: IpAddr,
        /// What it is.
        what: &'static str,
    },
}

/// How a webhook travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Transport {
    /// By TLS: to every public address, and to networks that are allowed.
    Secure,
    /// By plain HTTP: to networks that are allowed.
    Plain,
}

/// Says where webhooks may go. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    allowed: Arc<[IpNet]>,
}

impl Guard {
    /// A guard that lets into public networks by TLS, and into the `allowed` ones also by plain HTTP.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { allowed: allowed.into() }
    }

    /// Reads a URL and checks what can be known of it without asking for its host's addresses: those are vetted
    /// at each connection.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn check(&self, url: &str) -> Result<Url, Refusal> {
        if url.len() > MAX_URL_LEN {
            return Err(Refusal::TooLong);
        }
        let url = Url::parse(url).map_err(Refusal::Url)?;
        let transport = transport(&url)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refusal::Credentials);
        }
        match url.host() {
            // However it was written: the parser makes an address of 2130706433 and 0x7f.1, too.
            Some(Host::Ipv4(address)) => self.vet(transport, address.into())?,
            Some(Host::Ipv6(address)) => self.vet(transport, address.into())?,
            Some(Host::Domain(_)) if transport == Transport::Plain && self.allowed.is_empty() => {
                return Err(Refusal::Plain);
            }
            Some(Host::Domain(_)) => {}
            None => return Err(Refusal::Url(url::ParseError::EmptyHost)),
        }
        Ok(url)
    }

    /// Whether anything may go to an address: a public one, or one in a network that is allowed.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn allows(&self, address: IpAddr) -> Result<(), Refusal> {
        self.vet(Transport::Secure, address)
    }

    /// Whether a webhook that travels so may go to an address.
    pub(crate) fn vet(&self, transport: Transport, address: IpAddr) -> Result<(), Refusal> {
        if self.allowed.iter().any(|network| network.contains(&address)) {
            return Ok(());
        }
        match (special(address), transport) {
            (Some(what), _) => Err(Refusal::Address { address, what }),
            (None, Transport::Plain) => Err(Refusal::Plain),
            (None, Transport::Secure) => Ok(()),
        }
    }
}

pub(crate) fn transport(url: &Url) -> Result<Transport, Refusal> {
    match url.scheme() {
        "https" => Ok(Transport::Secure),
        "http" => Ok(Transport::Plain),
        _ => Err(Refusal::Scheme),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str) -> Result<(), Refusal> {
        Guard::default().check(url).map(drop)
    }

    fn allowing(networks: &[&str]) -> Guard {
        Guard::new(networks.iter().map(|network| network.parse().expect("a network")).collect())
    }

    #[test]
    fn lets_into_the_public_network_by_tls() {
        for url in ["https://example.com/hook?a=b", "https://1.1.1.1:8443/", "https://[2606:4700::1111]/"] {
            assert_eq!(check(url), Ok(()), "{url}");
        }
        assert_eq!(check("http://example.com/"), Err(Refusal::Plain));
        assert_eq!(check("http://1.1.1.1/"), Err(Refusal::Plain));
    }

    #[test]
    fn knows_an_address_in_whatever_notation() {
        for url in [
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://127.0.0.1./",
            "https://%31%32%37.0.0.1/",
            "https://１２７.0.0.1/",
            "https://127。0。0。1/",
            "https:127.0.0.1",
            "https:\\\\127.0.0.1\\",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[0:0::1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://[fd00:ec2::254]/",
            "https://0/",
            "http://127.0.0.1/",
        ] {
            assert!(matches!(check(url), Err(Refusal::Address { .. })), "{url}: {:?}", check(url));
        }
    }

    #[test]
    fn refuses_what_is_no_place_for_a_webhook() {
        for (url, refusal) in [
            ("ftp://example.com/", Refusal::Scheme),
            ("file:///etc/passwd", Refusal::Scheme),
            ("gopher://example.com/", Refusal::Scheme),
            ("unix:/run/postgresql", Refusal::Scheme),
            ("https://ann@example.com/", Refusal::Credentials),
            ("https://ann:secret@example.com/", Refusal::Credentials),
            ("https://:secret@example.com/", Refusal::Credentials),
            ("https://", Refusal::Url(url::ParseError::EmptyHost)),
            ("example.com", Refusal::Url(url::ParseError::RelativeUrlWithoutBase)),
            ("https://[fe80::1%eth0]/", Refusal::Url(url::ParseError::InvalidIpv6Address)),
        ] {
            assert_eq!(check(url), Err(refusal), "{url}");
        }
        assert_eq!(check(&format!("https://example.com/{}", "a".repeat(2_000))), Err(Refusal::TooLong));
    }

    #[test]
    fn lets_into_networks_that_are_allowed_and_no_farther() {
        let guard = allowing(&["127.0.0.0/8", "fd00::/8"]);
        for url in ["http://127.0.0.1:9000/", "https://127.1.2.3/", "http://[fd00::1]/", "http://localhost/"]
        {
            assert!(guard.check(url).is_ok(), "{url}");
        }
        for url in ["http://10.0.0.1/", "https://10.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/"]
        {
            assert!(matches!(guard.check(url), Err(Refusal::Address { .. })), "{url}");
        }
        assert!(matches!(guard.check("http://1.1.1.1/"), Err(Refusal::Plain)));
        assert!(matches!(guard.check("http://a:b@127.0.0.1/"), Err(Refusal::Credentials)));
    }
}
