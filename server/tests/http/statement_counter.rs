//! Between the server and Postgres: counts what is really asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::PgPool;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What each snapshot begins with, in the clear.
const BEGINS: &[u8] = b"begin isolation level repeatable read read only";

/// Passes everything on and counts the snapshots that are begun.
pub(crate) struct StatementCounter {
    port: u16,
    begun: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Drop for StatementCounter {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl StatementCounter {
    /// One before the Postgres of this pool.
    pub(crate) async fn start(pool: &PgPool) -> Self {
        let options = pool.connect_options();
        let postgres = (options.get_host().to_owned(), options.get_port());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let begun = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&begun);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(postgres.clone()).await.expect("Postgres");
                let (client_reads, client_writes) = client.into_split();
                let (server_reads, server_writes) = server.into_split();
                tokio::spawn(pass_on(client_reads, server_writes, Arc::clone(&count)));
                tokio::spawn(async move {
                    let (mut from, mut to) = (server_reads, client_writes);
                    let _ = copy(&mut from, &mut to).await;
                });
            }
        });
        Self { port, begun, task }
    }

    /// The way to the same database through it. In the clear: there is nothing to be counted otherwise.
    pub(crate) fn options(&self, pool: &PgPool) -> PgConnectOptions {
        let options = pool.connect_options().as_ref().clone();
        options.host("127.0.0.1").port(self.port).ssl_mode(PgSslMode::Disable)
    }

    /// The snapshots that were begun so far.
    pub(crate) fn snapshots(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }
}

async fn pass_on(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, count: Arc<AtomicUsize>) {
    let (mut part, mut seen) = (vec![0; 16 * 1024], Vec::new());
    loop {
        let length = match from.read(&mut part).await {
            Ok(0) | Err(_) => break,
            Ok(length) => length,
        };
        seen.extend_from_slice(&part[..length]);
        count.fetch_add(
            seen.windows(BEGINS.len()).filter(|window| *window == BEGINS).count(),
            Ordering::SeqCst,
        );
        // What may be the beginning of one that goes on in the next part.
        seen.drain(..seen.len().saturating_sub(BEGINS.len() - 1));
        if to.write_all(&part[..length]).await.is_err() {
            break;
        }
    }
    let _ = to.shutdown().await;
}
