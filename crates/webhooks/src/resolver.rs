//! Names are resolved here, so that a connection goes to an address that was vetted and to no other: a name that
//! stood for a public address when it was looked at can stand for a private one when it is connected to.

use std::error::Error;
use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::guard::{Guard, Refusal, Transport};

/// Gives those addresses of a name that the guard allows.
#[derive(Debug, Clone)]
pub(crate) struct VettedDns {
    guard: Guard,
    transport: Transport,
}

impl VettedDns {
    pub(crate) const fn new(guard: Guard, transport: Transport) -> Self {
        Self { guard, transport }
    }

    /// The addresses that are allowed; why the first one is not where none is.
    fn vet(&self, found: impl Iterator<Item = SocketAddr>) -> Result<Vec<SocketAddr>, Refused> {
        let mut refusal = None;
        let mut allowed = Vec::new();
        for address in found {
            match self.guard.vet(self.transport, address.ip()) {
                Ok(()) => allowed.push(address),
                Err(reason) => _ = refusal.get_or_insert(reason),
            }
        }
        match refusal {
            Some(reason) if allowed.is_empty() => Err(Refused(reason)),
            _ => Ok(allowed),
        }
    }
}

impl Resolve for VettedDns {
    fn resolve(&self, name: Name) -> Resolving {
        let vetted = self.clone();
        Box::pin(async move {
            // The port is the URL's, whatever stands here.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let allowed = vetted.vet(found)?;
            if allowed.is_empty() {
                return Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into());
            }
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}

/// A refusal on its way through the HTTP client.
#[derive(Debug, thiserror::Error)]
#[error("the name {0}")]
struct Refused(Refusal);

/// The refusal that an error of the HTTP client goes back to.
pub(crate) fn refusal_in(error: &(dyn Error + 'static)) -> Option<Refusal> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(Refused(refusal)) = error.downcast_ref() {
            return Some(refusal.clone());
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dns(allowed: &[&str], transport: Transport) -> VettedDns {
        let allowed = allowed.iter().map(|network| network.parse().expect("a network")).collect();
        VettedDns::new(Guard::new(allowed), transport)
    }

    fn vet(dns: &VettedDns, addresses: &[&str]) -> Result<Vec<String>, Refusal> {
        let found = addresses.iter().map(|address| SocketAddr::new(address.parse().expect("an address"), 0));
        let allowed = dns.vet(found).map_err(|Refused(refusal)| refusal)?;
        Ok(allowed.iter().map(|address| address.ip().to_string()).collect())
    }

    #[test]
    fn of_a_name_with_both_only_public_addresses_are_connected_to() {
        let dns = dns(&[], Transport::Secure);
        assert_eq!(vet(&dns, &["10.0.0.1", "1.1.1.1", "::1"]), Ok(vec!["1.1.1.1".to_owned()]));
        let refused = Refusal::Address { address: "10.0.0.1".parse().expect("an address"), what: "private" };
        assert_eq!(vet(&dns, &["10.0.0.1", "::1"]), Err(refused));
    }

    #[test]
    fn plain_http_goes_to_allowed_networks_alone() {
        let dns = dns(&["10.0.0.0/8"], Transport::Plain);
        assert_eq!(vet(&dns, &["1.1.1.1", "10.0.0.1"]), Ok(vec!["10.0.0.1".to_owned()]));
        assert_eq!(vet(&dns, &["1.1.1.1"]), Err(Refusal::Plain));
    }
}
