//! Where a request comes from: the client's address behind trusted proxies, and its name.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::{ConnectInfo, FromRequestParts};
use http::HeaderMap;
use http::header::USER_AGENT;
use http::request::Parts;

use crate::access::login::LoginOrigin;
use crate::http::socket::Peer;
use crate::state::AppState;

/// Longest name of a client that is kept, in characters.
const MAX_CLIENT: usize = 200;

impl FromRequestParts<AppState> for LoginOrigin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Infallible> {
        Ok(Self::read(parts, &state.config.trusted_proxies))
    }
}

impl LoginOrigin {
    /// Where a request with this head comes from.
    #[must_use]
    pub fn read(parts: &Parts, trusted_proxies: &[IpAddr]) -> Self {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|info| info.0.address.ip());
        let client = parts.headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
        Self {
            address: peer.map(|peer| client_address(peer, &parts.headers, trusted_proxies)),
            client: client.chars().filter(|c| !c.is_control()).take(MAX_CLIENT).collect(),
        }
    }
}

/// The last address in `X-Forwarded-For` that is no proxy of ours; everything before it could have
/// been written by the client. Without a trusted proxy the header is not looked at.
fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[IpAddr]) -> IpAddr {
    if !trusted.contains(&peer) {
        return peer;
    }
    let hops: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .collect();
    let mut address = peer;
    for hop in hops.iter().rev() {
        let Ok(hop) = hop.parse() else { break };
        address = hop;
        if !trusted.contains(&hop) {
            break;
        }
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    fn forwarded(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(
            http::HeaderName::from_static("x-forwarded-for"),
            text.parse().expect("a value"),
        )])
    }

    #[test]
    fn believes_trusted_proxies_alone() {
        let trusted = [ip("10.0.0.1"), ip("10.0.0.2")];
        let headers = forwarded("198.51.100.9, 203.0.113.7, 10.0.0.2");
        assert_eq!(client_address(ip("10.0.0.1"), &headers, &trusted), ip("203.0.113.7"));
        assert_eq!(client_address(ip("192.0.2.1"), &headers, &trusted), ip("192.0.2.1"), "no proxy of ours");
        assert_eq!(client_address(ip("10.0.0.1"), &HeaderMap::new(), &trusted), ip("10.0.0.1"));
        assert_eq!(client_address(ip("10.0.0.1"), &forwarded("unknown"), &trusted), ip("10.0.0.1"));
    }
}
