//! What handlers report, by UDP: microseconds between enqueueing and start.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// How long a report may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where reports arrive.
#[derive(Debug)]
pub struct Reports(UdpSocket);

impl Reports {
    /// On a port of its own.
    ///
    /// # Errors
    /// There is none.
    pub async fn bind() -> anyhow::Result<Self> {
        Ok(Self(UdpSocket::bind("127.0.0.1:0").await?))
    }

    /// Where handlers send to.
    ///
    /// # Errors
    /// The socket is gone.
    pub fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }

    /// The next report, in microseconds.
    ///
    /// # Errors
    /// None came within a minute.
    pub async fn next(&self) -> anyhow::Result<u64> {
        let mut text = [0; 32];
        let received = timeout(PATIENCE, self.0.recv(&mut text));
        let length = received.await.context("the workers report nothing; see their log")??;
        let text = std::str::from_utf8(text.get(..length).unwrap_or_default())?;
        text.parse().with_context(|| format!("`{text}` is no report"))
    }
}
