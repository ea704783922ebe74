//! Streams of events leave hyper.
//!
//! For each connection hyper keeps buffers and a state machine that wait for the next request: some
//! 17 KiB. On a connection that carries a stream of events there is no next request, and there may be
//! ten thousand of them. So a stream takes its socket along: the answer's head is written, and from
//! then on one small task moves the stream's bytes into the socket, with nothing between them. hyper
//! sees a closed connection and forgets it.
//!
//! The body ends with the connection ([RFC 9112, section 6.3](https://www.rfc-editor.org/rfc/rfc9112#section-6.3),
//! the last rule), so each event is one write of the very bytes that all readers share. What no socket
//! can be taken for, HTTP/2 for one, hyper sends as any other answer.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Buf, Bytes};
use http::header::{CONNECTION, DATE};
use http::{HeaderValue, Method, Version};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use super::event_stream::{ByteStream, EventStream};
use super::socket::{Peer, Stall};
use crate::state::AppState;

/// Writes after which others have their turn.
const WRITES_AT_ONCE: usize = 16;

/// The streams that have left hyper. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Detached {
    tasks: TaskTracker,
    stall: Duration,
}

impl Detached {
    /// None yet. A stream whose reader takes nothing for `stall` while something waits is cut.
    #[must_use]
    pub fn new(stall: Duration) -> Self {
        Self { tasks: TaskTracker::new(), stall }
    }

    /// Waits until all have ended. None may begin after that.
    pub async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Takes the socket along for an answer that is a stream of events.
pub async fn detach(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let peer = request.extensions().get::<ConnectInfo<Peer>>().map(|info| info.0.clone());
    let can_detach = request.method() == Method::GET && request.version() <= Version::HTTP_11;
    let mut response = next.run(request).await;
    let Some(stream) = EventStream::take_from(&mut response) else { return response };
    let Some(peer) = peer.filter(|_| can_detach) else {
        *response.body_mut() = Body::from_stream(stream);
        return response;
    };
    let head = write_head(&response.into_parts().0);
    let socket = peer.take_socket();
    let stall = Stall::new(state.detached.stall);
    state.detached.tasks.spawn(async move {
        // It is not given when the client has left before.
        if let Ok(socket) = socket.await {
            Detachment { socket, waiting: head, stream: Some(stream), stall }.await;
        }
    });
    // Not a byte of this reaches the client: the socket is gone when hyper writes it.
    let mut forgotten = Response::new(Body::empty());
    forgotten.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    forgotten
}

/// The answer's head ([RFC 9112, section 4](https://www.rfc-editor.org/rfc/rfc9112#section-4)).
fn write_head(head: &http::response::Parts) -> Bytes {
    let mut bytes = Vec::with_capacity(1024);
    bytes.extend_from_slice(b"HTTP/1.1 ");
    bytes.extend_from_slice(head.status.as_str().as_bytes());
    bytes.extend_from_slice(b" ");
    bytes.extend_from_slice(head.status.canonical_reason().unwrap_or_default().as_bytes());
    let mut line = |name: &str, value: &[u8]| {
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(name.as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value);
    };
    for (name, value) in head.headers.iter().filter(|(name, _)| **name != CONNECTION) {
        line(name.as_str(), value.as_bytes());
    }
    if !head.headers.contains_key(DATE) {
        line("date", httpdate::fmt_http_date(SystemTime::now()).as_bytes());
    }
    line("connection", b"close");
    bytes.extend_from_slice(b"\r\n\r\n");
    Bytes::from(bytes)
}

/// A stream and its socket; done when either has ended.
struct Detachment {
    socket: TcpStream,
    /// What the socket has not taken yet.
    waiting: Bytes,
    /// `None` when all of it was taken.
    stream: Option<ByteStream>,
    stall: Stall,
}

impl Future for Detachment {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        if this.reader_has_left(context) {
            return Poll::Ready(());
        }
        for _ in 0..WRITES_AT_ONCE {
            match ready!(this.poll_write(context)) {
                Ok(()) if this.stream.is_none() => return Poll::Ready(()),
                Ok(()) => ready!(this.poll_stream(context)),
                Err(error) => {
                    tracing::debug!(%error, "a stream's connection has ended");
                    return Poll::Ready(());
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Detachment {
    /// A reader has nothing to say any more; that it closes its side is how it leaves.
    fn reader_has_left(&self, context: &mut Context<'_>) -> bool {
        while let Poll::Ready(ready) = self.socket.poll_read_ready(context) {
            let mut ignored = [0; 512];
            match ready.and_then(|()| self.socket.try_read(&mut ignored)) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return true,
            }
        }
        false
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.waiting.is_empty() {
            match self.socket.try_write(&self.waiting) {
                Ok(written) => {
                    self.waiting.advance(written);
                    self.stall.end();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Poll::Ready(ready) = self.socket.poll_write_ready(context) {
                        ready?;
                        continue;
                    }
                    ready!(self.stall.poll(context));
                    return Poll::Ready(Err(Stall::error()));
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        // Bytes that are shared would be kept for as long as nothing else comes.
        self.waiting = Bytes::new();
        Poll::Ready(Ok(()))
    }

    /// Takes what comes next, or finds that nothing does.
    fn poll_stream(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(()) };
        match ready!(stream.as_mut().poll_next(context)) {
            Some(Ok(bytes)) => self.waiting = bytes,
            // Nothing of ours fails but a compressor; what it has not sent, nobody can read.
            Some(Err(error)) => {
                tracing::warn!(%error, "a stream cannot go on");
                self.stream = None;
            }
            None => self.stream = None,
        }
        Poll::Ready(())
    }
}
