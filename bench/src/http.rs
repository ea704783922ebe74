//! The little HTTP that publishing to a peer needs: one request after the other on one connection.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A connection that is kept alive.
#[derive(Debug)]
pub struct HttpConnection {
    stream: BufReader<TcpStream>,
}

impl HttpConnection {
    /// Connects.
    ///
    /// # Errors
    /// Nothing listens there.
    pub async fn connect(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends a POST with JSON and reads the whole answer.
    ///
    /// # Errors
    /// The answer is not of the 200s, or the connection was lost.
    pub async fn post(&mut self, path: &str, body: &str) -> anyhow::Result<()> {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             X-EventSource-Event: {}\r\n\r\n{body}",
            body.len(),
            crate::event::EVENT_TYPE,
        );
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    /// Sends a GET and reads the whole answer.
    ///
    /// # Errors
    /// The answer is not of the 200s, or the connection was lost.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<()> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n");
        self.stream.write_all(request.as_bytes()).await?;
        self.answer().await
    }

    async fn answer(&mut self) -> anyhow::Result<()> {
        let status = self.line().await?;
        let mut length = 0;
        let mut chunked = false;
        loop {
            let line = self.line().await?.to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = value.trim().parse().context("a length that is no number")?;
            }
            chunked |= line.starts_with("transfer-encoding:") && line.contains("chunked");
        }
        if chunked {
            self.skip_chunks().await?;
        } else {
            self.skip(length).await?;
        }
        if !status.starts_with("HTTP/1.1 2") {
            bail!("the server answered {status}");
        }
        Ok(())
    }

    async fn skip_chunks(&mut self) -> anyhow::Result<()> {
        loop {
            let line = self.line().await?;
            let size = usize::from_str_radix(line.trim(), 16).context("a chunk without a size")?;
            self.skip(size + 2).await?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    async fn skip(&mut self, bytes: usize) -> anyhow::Result<()> {
        let mut rest = vec![0; bytes];
        self.stream.read_exact(&mut rest).await?;
        Ok(())
    }

    async fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(line.trim_end().to_owned())
    }
}
