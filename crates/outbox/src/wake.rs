//! Wake-ups: hints that there is something to do, so that nobody waits for the next poll.
//!
//! `NOTIFY` inside a business transaction takes a lock of the whole database until commit
//! (measured: it halved the rate of commits). So it is sent here, after the commit, on a
//! connection of its own, at most 200 times a second however many commits there were.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Connection, PgConnection};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Channel on which writers say that they recorded something.
pub const RECORDED_CHANNEL: &str = "tidewatch_recorded";
/// Channel on which the relay says that it published something.
pub const PUBLISHED_CHANNEL: &str = "tidewatch_published";

/// Pause between two notifications: 200 a second.
const COALESCE: Duration = Duration::from_millis(5);
/// Pause after a lost connection. Polling delivers meanwhile.
const RECONNECT: Duration = Duration::from_secs(1);

/// A flag that one task raises and another waits for; raised many times before the wait, it
/// wakes once.
#[derive(Debug, Clone, Default)]
pub struct Signal(Arc<Notify>);

impl Signal {
    /// Wakes the waiting task, or the next one to wait.
    pub fn raise(&self) {
        self.0.notify_one();
    }

    /// Waits until it is raised.
    pub async fn wait(&self) {
        self.0.notified().await;
    }
}

/// Wakes the relay after a commit and the readers after a publication, in this process at once
/// and in all others by `NOTIFY`. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Waker {
    recorded: Signal,
    published: Signal,
    outbound: Arc<Outbound>,
}

/// What is to be told to other processes.
#[derive(Debug, Default)]
struct Outbound {
    recorded: AtomicBool,
    published: AtomicBool,
    any: Notify,
    /// The database session that tells, 0 while there is none: what it says is known here already.
    session: AtomicU32,
}

impl Waker {
    /// Says that events were recorded and committed. Returns at once.
    pub fn wake(&self) {
        self.recorded.raise();
        self.outbound.recorded.store(true, Ordering::Release);
        self.outbound.any.notify_one();
    }

    /// Says that events were published.
    pub(crate) fn wake_readers(&self) {
        self.published.raise();
        self.outbound.published.store(true, Ordering::Release);
        self.outbound.any.notify_one();
    }

    /// What the relay waits for.
    pub(crate) const fn recorded(&self) -> &Signal {
        &self.recorded
    }

    /// What the follower waits for.
    pub(crate) const fn published(&self) -> &Signal {
        &self.published
    }

    /// Tells other processes and hears them, until `shutdown`. Never ends for a lost connection:
    /// it connects again, and polling covers the time between.
    pub async fn run(self, options: PgConnectOptions, shutdown: CancellationToken) {
        let work = async {
            tokio::join!(
                self.tell(&options),
                self.listen(&options, RECORDED_CHANNEL, &self.recorded),
                self.listen(&options, PUBLISHED_CHANNEL, &self.published),
            )
        };
        tokio::select! {
            _ = work => {}
            () = shutdown.cancelled() => {}
        }
    }

    async fn tell(&self, options: &PgConnectOptions) {
        loop {
            if let Err(error) = self.tell_on_one_connection(options).await {
                tracing::warn!(%error, "notifications are interrupted; polling delivers meanwhile");
            }
            // Its number can be given to another process's session.
            self.outbound.session.store(0, Ordering::Release);
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn tell_on_one_connection(&self, options: &PgConnectOptions) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect_with(options).await?;
        let session: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await?;
        self.outbound.session.store(session.unsigned_abs(), Ordering::Release);
        loop {
            self.outbound.any.notified().await;
            if self.outbound.recorded.swap(false, Ordering::AcqRel) {
                notify(&mut connection, RECORDED_CHANNEL).await?;
            }
            if self.outbound.published.swap(false, Ordering::AcqRel) {
                notify(&mut connection, PUBLISHED_CHANNEL).await?;
            }
            tokio::time::sleep(COALESCE).await;
        }
    }

    /// Raises `signal` at each notification of `channel` by another process, for ever; also after each
    /// (re)connect, since what was said meanwhile was not heard.
    async fn listen(&self, options: &PgConnectOptions, channel: &'static str, signal: &Signal) {
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
        loop {
            match self.listen_on_one_connection(&pool, channel, signal).await {
                Ok(()) => {
                    tracing::warn!(channel, "lost the listening connection; polling delivers meanwhile")
                }
                Err(error) => tracing::warn!(channel, %error, "cannot listen; polling delivers meanwhile"),
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn listen_on_one_connection(
        &self,
        pool: &sqlx::PgPool,
        channel: &str,
        signal: &Signal,
    ) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(channel).await?;
        signal.raise();
        // `try_recv` says `None` when the connection was lost, where `recv` would hide it.
        while let Some(notification) = listener.try_recv().await? {
            if notification.process_id() != self.outbound.session.load(Ordering::Acquire) {
                signal.raise();
            }
        }
        Ok(())
    }
}

async fn notify(connection: &mut PgConnection, channel: &str) -> Result<(), sqlx::Error> {
    sqlx::query("select pg_notify($1, '')").bind(channel).execute(connection).await.map(drop)
}
