//! Whether a server answers: one TCP connection or one HTTP request, to an address that was vetted.
//!
//! Addresses are chosen by people of a project, and this service reaches networks that those people do not: what is
//! no public address is refused unless the configuration allows it (`TIDEWATCH_CHECK_ALLOWED_NETWORKS`).

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::redirect::Policy;
use tidewatch_webhooks::{Guard, IpNet};
use tokio::net::TcpStream;
use url::Url;

/// Longest time of a check.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What a check came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// How long it took, in milliseconds.
    pub latency_ms: i64,
    /// Why the server did not answer as it should; `None`: it did.
    pub error: Option<String>,
}

/// Checks servers. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Prober {
    guard: Guard,
}

impl Prober {
    /// A prober that reaches public networks and these.
    #[must_use]
    pub fn new(allowed: Vec<IpNet>) -> Self {
        Self { guard: Guard::new(allowed) }
    }

    /// Checks a server: `tcp` with `host:port`, or `http` with a URL.
    pub async fn check(&self, kind: &str, address: &str) -> Checked {
        let begun = Instant::now();
        let answered = async {
            match kind {
                "http" => self.http(address).await,
                _ => self.tcp(address).await.map(drop),
            }
        };
        let error = match tokio::time::timeout(TIMEOUT, answered).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some(format!("no answer within {} s", TIMEOUT.as_secs())),
        };
        let latency_ms = i64::try_from(begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        Checked { latency_ms, error: error.map(|error| error.chars().take(500).collect()) }
    }

    async fn tcp(&self, address: &str) -> Result<TcpStream, String> {
        let found = self.resolve(address).await?;
        TcpStream::connect(found).await.map_err(|error| format!("cannot connect: {error}"))
    }

    async fn http(&self, address: &str) -> Result<(), String> {
        let url = Url::parse(address).map_err(|error| format!("is no URL: {error}"))?;
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else {
            return Err("has no host".to_owned());
        };
        let vetted = self.resolve(&format!("{host}:{port}")).await?;
        // A client for this one address: a name that changes meanwhile leads nowhere else.
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .user_agent(concat!("tidewatch-checks/", env!("CARGO_PKG_VERSION")))
            .resolve(host, vetted)
            .build()
            .map_err(|error| error.to_string())?;
        let answer = client.get(url).send().await.map_err(|error| innermost(&error))?;
        let status = answer.status();
        if status.is_client_error() || status.is_server_error() {
            return Err(format!("answered with {status}"));
        }
        Ok(())
    }

    /// The first address of a name, if all of them may be reached: one that leads both outside and inside is a
    /// trick.
    async fn resolve(&self, address: &str) -> Result<SocketAddr, String> {
        let found: Vec<SocketAddr> = tokio::net::lookup_host(address)
            .await
            .map_err(|error| format!("cannot be resolved: {error}"))?
            .collect();
        for one in &found {
            self.guard.allows(one.ip()).map_err(|refusal| refusal.to_string())?;
        }
        found.into_iter().next().ok_or_else(|| "has no address".to_owned())
    }
}

/// What lies behind an error: the outer ones repeat the address.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
