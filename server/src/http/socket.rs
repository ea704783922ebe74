//! The sockets that are served: small buffers, an end for readers that never read, and a way out for
//! those that a stream takes along.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

/// What the kernel may hold of bytes that a reader has not taken. Left to itself it holds megabytes
/// for each one that does not read.
const SEND_BUFFER: usize = 64 * 1024;

/// Accepts connections that are cut when nothing can be written to them for a time.
#[derive(Debug)]
pub struct Sockets {
    listener: TcpListener,
    stall: Duration,
}

impl Sockets {
    /// Cuts a connection whose reader takes nothing for `stall` while something waits for it.
    #[must_use]
    pub const fn new(listener: TcpListener, stall: Duration) -> Self {
        Self { listener, stall }
    }
}

impl Listener for Sockets {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Socket, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // An event is a small write that must not wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
        if let Err(error) = socket2::SockRef::from(&stream).set_send_buffer_size(SEND_BUFFER) {
            tracing::debug!(%error, "cannot set SO_SNDBUF");
        }
        (Socket { stream: Some(stream), wish: Arc::default(), stall: Stall::new(self.stall) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// Who waits for a connection's socket.
type Wish = Arc<Mutex<Option<oneshot::Sender<TcpStream>>>>;

/// A connection as handlers see it.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The client's address.
    pub address: SocketAddr,
    wish: Wish,
}

impl Peer {
    /// Wishes for the socket. It comes when the answer to the present request is written: nothing of
    /// that answer is, and whoever serves the connection finds it closed.
    pub fn take_socket(&self) -> oneshot::Receiver<TcpStream> {
        let (sender, receiver) = oneshot::channel();
        *self.wish.lock() = Some(sender);
        receiver
    }
}

impl Connected<IncomingStream<'_, Sockets>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Sockets>) -> Self {
        Self { address: *stream.remote_addr(), wish: Arc::clone(&stream.io().wish) }
    }
}

/// How long nothing could be written.
#[derive(Debug)]
pub struct Stall {
    patience: Duration,
    /// Runs while a write waits for the reader.
    running: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    /// Nothing waits.
    #[must_use]
    pub const fn new(patience: Duration) -> Self {
        Self { patience, running: None }
    }

    /// Something was written.
    pub fn end(&mut self) {
        self.running = None;
    }

    /// Nothing can be written: ready when that has lasted too long.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let patience = self.patience;
        self.running.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(context)
    }

    /// Whether that has lasted too long.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.running.as_ref().is_some_and(|sleep| sleep.is_elapsed())
    }

    /// What a connection ends with then.
    #[must_use]
    pub fn error() -> io::Error {
        io::Error::new(io::ErrorKind::TimedOut, "the reader takes nothing")
    }
}

/// A connection.
#[derive(Debug)]
pub struct Socket {
    /// `None` when it was given away: then nothing comes, and what is written goes nowhere.
    stream: Option<TcpStream>,
    wish: Wish,
    stall: Stall,
}

impl Socket {
    /// The stream to write to, unless somebody waits for it.
    fn stream_for_writing(&mut self) -> Option<&mut TcpStream> {
        if let Some(wish) = self.wish.lock().take()
            && let Some(stream) = self.stream.take()
        {
            // Who wished for it can have left meanwhile; then the connection ends here.
            drop(wish.send(stream));
        }
        self.stream.as_mut()
    }

    /// Passes on what a write came to; an error once it has waited too long.
    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stall.end();
            return written;
        }
        ready!(self.stall.poll(context));
        Poll::Ready(Err(Stall::error()))
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_read(context, buffer),
            None => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let Some(stream) = self.stream_for_writing() else { return Poll::Ready(Ok(bytes.len())) };
        let written = Pin::new(stream).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Some(stream) = self.stream_for_writing() else {
            return Poll::Ready(Ok(slices.iter().map(|slice| slice.len()).sum()));
        };
        let written = Pin::new(stream).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(stream) = &mut self.stream else { return Poll::Ready(Ok(())) };
        let flushed = Pin::new(stream).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}
