//! What all peers share: one child, `POST /publish?topic=`, `GET /events?topic=`.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;

use super::Running;
use crate::child::Child;
use crate::clock::Clock;
use crate::event::BenchEvent;
use crate::http::HttpConnection;
use crate::publish::{Publisher, Publishers};

/// A peer that runs.
#[derive(Debug)]
pub(super) struct HttpPeer {
    pub(super) child: Child,
    /// What it needs besides, such as Redis.
    pub(super) helper: Option<Child>,
    pub(super) address: SocketAddr,
    pub(super) clock: Arc<Clock>,
    /// Bytes that it puts around the data of an event.
    pub(super) framing: usize,
}

#[async_trait(?Send)]
impl Running for HttpPeer {
    fn address(&self) -> SocketAddr {
        self.address
    }

    fn request(&self, topic: Option<u32>) -> String {
        request(topic, "")
    }

    async fn publishers(&self, count: usize) -> anyhow::Result<Publishers> {
        let mut publishers: Publishers = Vec::with_capacity(count);
        for _ in 0..count {
            let connection = HttpConnection::connect(self.address).await?;
            let (clock, framing) = (Arc::clone(&self.clock), self.framing);
            publishers.push(Box::new(HttpPublisher { connection, clock, framing }));
        }
        Ok(publishers)
    }

    fn pid(&self) -> u32 {
        self.child.pid()
    }

    fn helper(&self) -> Option<u32> {
        self.helper.as_ref().map(Child::pid)
    }

    async fn stop(self: Box<Self>) {
        self.child.stop().await;
        if let Some(helper) = self.helper {
            helper.stop().await;
        }
    }
}

/// The request of a peer's reader; `headers` are whole lines.
pub(super) fn request(topic: Option<u32>, headers: &str) -> String {
    let query = topic.map_or_else(String::new, |topic| format!("?topic={topic}"));
    format!("GET /events{query} HTTP/1.1\r\nHost: bench\r\nAccept: text/event-stream\r\n{headers}\r\n")
}

struct HttpPublisher {
    connection: HttpConnection,
    clock: Arc<Clock>,
    framing: usize,
}

#[async_trait]
impl Publisher for HttpPublisher {
    async fn publish(&mut self, event: BenchEvent) -> anyhow::Result<()> {
        let query = event.topic.map_or_else(String::new, |topic| format!("?topic={topic}"));
        let data = event.data(self.framing);
        self.clock.sent(event.number);
        self.connection.post(&format!("/publish{query}"), &data).await
    }
}
