//! Wake-ups: hints that there is something to do, so that nobody waits for the next poll.
//!
//! `NOTIFY` inside a business transaction takes a lock of the whole database until commit. So it is sent
//! here, after the commit, on a connection of its own, at most 200 times a second however many commits there
//! were.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Connection, PgConnection};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;

/// Channel on which it is said that jobs were enqueued or are to be cancelled.
pub const JOBS_CHANNEL: &str = "tidewatch_jobs";

/// Pause between two notifications: 200 a second.
const COALESCE: Duration = Duration::from_millis(5);
/// Pause after a lost connection. Polling finds everything meanwhile.
const RECONNECT: Duration = Duration::from_secs(1);

/// Wakes workers after a commit, in this process at once and in all others by `NOTIFY`. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Waker(Arc<Signals>);

#[derive(Debug, Default)]
struct Signals {
    enqueued: Signal,
    cancelled: Signal,
    any: Notify,
    /// The database session that tells, 0 while there is none: what it says is known here already.
    session: AtomicU32,
}

/// One thing that can be said. Every worker of this process hears it.
#[derive(Debug, Default)]
struct Signal {
    here: watch::Sender<()>,
    /// It is to be told to other processes.
    outbound: AtomicBool,
}

impl Signal {
    fn raise(&self) {
        self.here.send_replace(());
    }
}

impl Waker {
    /// Says that jobs were enqueued, or are to be done again, and that this is committed. Returns at once.
    pub fn wake_workers(&self) {
        self.say(&self.0.enqueued);
    }

    /// Says that jobs are to be cancelled, and that this is committed. Returns at once.
    pub fn wake_cancelled(&self) {
        self.say(&self.0.cancelled);
    }

    fn say(&self, signal: &Signal) {
        signal.raise();
        signal.outbound.store(true, Ordering::Release);
        self.0.any.notify_one();
    }

    /// Says in this process alone that jobs wait.
    pub(crate) fn wake_here(&self) {
        self.0.enqueued.raise();
    }

    /// What workers wait for.
    pub(crate) fn enqueued(&self) -> watch::Receiver<()> {
        self.0.enqueued.here.subscribe()
    }

    /// What those wait for who keep leases.
    pub(crate) fn cancelled(&self) -> watch::Receiver<()> {
        self.0.cancelled.here.subscribe()
    }

    /// Tells other processes and hears them, until `shutdown`. Never ends for a lost connection: it connects
    /// again, and polling covers the time between.
    pub async fn run(self, options: PgConnectOptions, shutdown: CancellationToken) {
        let work = async { tokio::join!(self.tell(&options), self.listen(&options)) };
        tokio::select! {
            _ = work => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn tell(&self, options: &PgConnectOptions) {
        loop {
            if let Err(error) = self.tell_on_one_connection(options).await {
                tracing::warn!(%error, "notifications of jobs are interrupted; polling finds them meanwhile");
            }
            // Its number can be given to another process's session.
            self.0.session.store(0, Ordering::Release);
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn tell_on_one_connection(&self, options: &PgConnectOptions) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect_with(options).await?;
        let session: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await?;
        self.0.session.store(session.unsigned_abs(), Ordering::Release);
        loop {
            self.0.any.notified().await;
            for (signal, payload) in [(&self.0.enqueued, ENQUEUED), (&self.0.cancelled, CANCELLED)] {
                if signal.outbound.swap(false, Ordering::AcqRel) {
                    sqlx::query("select pg_notify($1, $2)")
                        .bind(JOBS_CHANNEL)
                        .bind(payload)
                        .execute(&mut connection)
                        .await?;
                }
            }
            tokio::time::sleep(COALESCE).await;
        }
    }

    /// Hears other processes, for ever.
    async fn listen(&self, options: &PgConnectOptions) {
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
        loop {
            match self.listen_on_one_connection(&pool).await {
                Ok(()) => tracing::warn!("lost the connection that listens for jobs; polling finds them"),
                Err(error) => tracing::warn!(%error, "cannot listen for jobs; polling finds them"),
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn listen_on_one_connection(&self, pool: &sqlx::PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(JOBS_CHANNEL).await?;
        // What was said meanwhile was not heard.
        self.0.enqueued.raise();
        self.0.cancelled.raise();
        // `try_recv` says `None` when the connection was lost, where `recv` would hide it.
        while let Some(notification) = listener.try_recv().await? {
            if notification.process_id() == self.0.session.load(Ordering::Acquire) {
                continue;
            }
            match notification.payload() {
                ENQUEUED => self.0.enqueued.raise(),
                CANCELLED => self.0.cancelled.raise(),
                _ => {}
            }
        }
        Ok(())
    }
}

const ENQUEUED: &str = "enqueued";
const CANCELLED: &str = "cancelled";
