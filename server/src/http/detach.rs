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
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, SystemTime};

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use bytes::{Buf, Bytes};
use futures::StreamExt;
use http::header::{CONNECTION, DATE};
use http::{HeaderValue, Method, Version};
use parking_lot::Mutex;
use tidewatch_hub::{DirectSink, Run};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use super::event_stream::{Attach, ByteStream, EventStream, Parts};
use super::socket::{Peer, Stall};
use crate::state::AppState;
use crate::stream::limits::StreamEnd;

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
    let Some(mut parts) = EventStream::take_from(&mut response) else { return response };
    let Some(peer) = peer.filter(|_| can_detach) else {
        let Parts { bytes, line, .. } = parts;
        // Kept as long as the bytes are.
        *response.body_mut() = Body::from_stream(bytes.inspect(move |_| {
            let _kept = &line;
        }));
        return response;
    };
    let head = write_head(&response.into_parts().0);
    let socket = peer.take_socket();
    let stall = Stall::new(state.detached.stall);
    let counts = state.stream_counts.clone();
    state.detached.tasks.spawn(async move {
        let (_line, why) = (parts.line.take(), Arc::clone(&parts.why));
        // It is not given when the client has left before.
        let Ok(socket) = socket.await else { return };
        if Detachment::new(socket, head, parts, stall).await == Ended::Stalled {
            counts.note_end(StreamEnd::Stalled);
            let _ = why.set(StreamEnd::Stalled);
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

/// The socket of a stream: its task writes to it, and the hub does while the task sleeps.
struct Line {
    socket: TcpStream,
    state: Mutex<LineState>,
}

struct LineState {
    /// What the socket has not taken yet. Nothing else is written before it.
    waiting: Bytes,
    /// The stream's task, to write what the hub could not write whole.
    task: Option<Waker>,
}

impl DirectSink for Line {
    fn offer(&self, events: &Run) -> bool {
        let mut state = self.state.lock();
        if !state.waiting.is_empty() {
            return false;
        }
        let bytes = events.sse_frames();
        match self.socket.try_write(&bytes) {
            Ok(written) if written == bytes.len() => true,
            Ok(written) => {
                state.waiting = bytes.slice(written..);
                if let Some(task) = state.task.take() {
                    task.wake();
                }
                true
            }
            // The task finds out what it is.
            Err(_) => false,
        }
    }
}

/// A stream and its socket; done when either has ended.
struct Detachment {
    line: Arc<Line>,
    /// `None` when all of it was taken.
    stream: Option<ByteStream>,
    /// What is done when the first bytes of the stream are written: from then on the hub can write events.
    attach: Option<Attach>,
    has_begun: bool,
    stall: Stall,
}

/// Why a detached stream is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// All of it was written, or its reader has left.
    Done,
    /// Its reader has taken nothing for too long.
    Stalled,
}

impl Future for Detachment {
    type Output = Ended;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Ended> {
        let this = self.get_mut();
        if this.reader_has_left(context) {
            return Poll::Ready(Ended::Done);
        }
        for _ in 0..WRITES_AT_ONCE {
            match ready!(this.poll_write(context)) {
                Ok(()) if this.stream.is_none() => return Poll::Ready(Ended::Done),
                Ok(()) => ready!(this.poll_stream(context)),
                Err(error) => {
                    tracing::debug!(%error, "a stream's connection has ended");
                    let stalled = error.kind() == io::ErrorKind::TimedOut && this.stall.is_over();
                    return Poll::Ready(if stalled { Ended::Stalled } else { Ended::Done });
                }
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Detachment {
    fn new(socket: TcpStream, head: Bytes, parts: Parts, stall: Stall) -> Self {
        let state = Mutex::new(LineState { waiting: head, task: None });
        Self {
            line: Arc::new(Line { socket, state }),
            stream: Some(parts.bytes),
            attach: parts.attach,
            has_begun: false,
            stall,
        }
    }

    /// A reader has nothing to say any more; that it closes its side is how it leaves.
    fn reader_has_left(&self, context: &mut Context<'_>) -> bool {
        let socket = &self.line.socket;
        while let Poll::Ready(ready) = socket.poll_read_ready(context) {
            let mut ignored = [0; 512];
            match ready.and_then(|()| socket.try_read(&mut ignored)) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return true,
            }
        }
        false
    }

    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.line.state.lock();
        while !state.waiting.is_empty() {
            match self.line.socket.try_write(&state.waiting) {
                Ok(written) => {
                    state.waiting.advance(written);
                    self.stall.end();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if let Poll::Ready(ready) = self.line.socket.poll_write_ready(context) {
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
        state.waiting = Bytes::new();
        // What the hub writes from here on in part, this task writes to the end.
        match &mut state.task {
            Some(task) => task.clone_from(context.waker()),
            none => *none = Some(context.waker().clone()),
        }
        drop(state);
        if self.has_begun
            && let Some(attach) = self.attach.take()
        {
            attach(Arc::clone(&self.line) as Arc<dyn DirectSink>);
        }
        Poll::Ready(Ok(()))
    }

    /// Takes what comes next, or finds that nothing does.
    fn poll_stream(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(()) };
        match ready!(stream.as_mut().poll_next(context)) {
            Some(Ok(bytes)) => self.write_next(bytes),
            // Nothing of ours fails but a compressor; what it has not sent, nobody can read.
            Some(Err(error)) => {
                tracing::warn!(%error, "a stream cannot go on");
                self.stream = None;
            }
            None => self.stream = None,
        }
        Poll::Ready(())
    }

    fn write_next(&mut self, bytes: Bytes) {
        let mut state = self.line.state.lock();
        self.has_begun = true;
        if state.waiting.is_empty() {
            state.waiting = bytes;
        } else {
            // The hub has written a part of something since this task looked.
            state.waiting = Bytes::from([std::mem::take(&mut state.waiting), bytes].concat());
        }
    }
}
