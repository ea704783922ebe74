//! The little HTTP that the benchmark needs: one request after the other on one connection.

use std::net::SocketAddr;

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// An answer, read whole.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers; names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, as it came.
    pub body: Vec<u8>,
}

impl Answer {
    /// The value of a header, named in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

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
        self.succeed(&request).await
    }

    /// Sends a GET and reads the whole answer.
    ///
    /// # Errors
    /// The answer is not of the 200s, or the connection was lost.
    pub async fn get(&mut self, path: &str) -> anyhow::Result<()> {
        self.succeed(&format!("GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n")).await
    }

    /// Sends a request, given whole, and reads the whole answer.
    ///
    /// # Errors
    /// The connection was lost, or what came is no HTTP.
    pub async fn ask(&mut self, request: &str) -> anyhow::Result<Answer> {
        self.stream.write_all(request.as_bytes()).await?;
        let status = self.line().await?;
        let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
        let mut answer = Answer { status: status.context("no status")?, ..Answer::default() };
        loop {
            let line = self.line().await?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').context("a header without a name")?;
            answer.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if answer.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            self.read_chunks(&mut answer.body).await?;
        } else if let Some(length) = answer.header("content-length") {
            let length = length.parse().context("a length that is no number")?;
            self.read(&mut answer.body, length).await?;
        }
        Ok(answer)
    }

    async fn succeed(&mut self, request: &str) -> anyhow::Result<()> {
        let answer = self.ask(request).await?;
        ensure!((200..300).contains(&answer.status), "the server answered {}", answer.status);
        Ok(())
    }

    async fn read_chunks(&mut self, body: &mut Vec<u8>) -> anyhow::Result<()> {
        loop {
            let line = self.line().await?;
            let size = usize::from_str_radix(line.trim(), 16).context("a chunk without a size")?;
            self.read(body, size).await?;
            self.line().await?;
            if size == 0 {
                return Ok(());
            }
        }
    }

    async fn read(&mut self, body: &mut Vec<u8>, bytes: usize) -> anyhow::Result<()> {
        let begin = body.len();
        body.resize(begin + bytes, 0);
        self.stream.read_exact(&mut body[begin..]).await?;
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
