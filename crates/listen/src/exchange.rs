//! Telling hints to other processes, and hearing theirs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::hint::Hint;
use crate::pace::Pace;

/// Pause after a lost connection. Polling finds everything meanwhile.
const RECONNECT: Duration = Duration::from_secs(1);

/// Exchanges hints with other processes, on two connections of its own. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Exchange {
    hints: Vec<Hint>,
    teller: Arc<Notify>,
    /// The database session that tells, 0 while there is none: what it says is known here already.
    session: Arc<AtomicU32>,
}

impl Exchange {
    /// A new hint, told to others by this payload on this channel. To be called before the exchange is cloned.
    #[must_use]
    pub fn hint(&mut self, channel: &'static str, payload: &'static str) -> Hint {
        let hint = Hint::new(channel, payload, Arc::clone(&self.teller));
        self.hints.push(hint.clone());
        hint
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
                tracing::warn!(channels = ?self.channels(), %error, "notifications are interrupted; others poll meanwhile");
            }
            // Its number can be given to another process's session.
            self.session.store(0, Ordering::Release);
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn tell_on_one_connection(&self, options: &PgConnectOptions) -> Result<(), sqlx::Error> {
        let mut connection = PgConnection::connect_with(options).await?;
        let session: i32 = sqlx::query_scalar("select pg_backend_pid()").fetch_one(&mut connection).await?;
        self.session.store(session.unsigned_abs(), Ordering::Release);
        let mut pace = Pace::default();
        loop {
            self.teller.notified().await;
            let pause = pace.take(Instant::now());
            // Timers count in milliseconds: one of none would take one.
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            for hint in self.hints.iter().filter(|hint| hint.take_outbound()) {
                sqlx::query("select pg_notify($1, $2)")
                    .bind(hint.channel())
                    .bind(hint.payload())
                    .execute(&mut connection)
                    .await?;
            }
        }
    }

    /// Hears other processes, for ever.
    async fn listen(&self, options: &PgConnectOptions) {
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(options.clone());
        loop {
            match self.listen_on_one_connection(&pool).await {
                Ok(()) => {
                    tracing::warn!(channels = ?self.channels(), "lost the listening connection; polling meanwhile");
                }
                Err(error) => {
                    tracing::warn!(channels = ?self.channels(), %error, "cannot listen; polling meanwhile");
                }
            }
            tokio::time::sleep(RECONNECT).await;
        }
    }

    async fn listen_on_one_connection(&self, pool: &PgPool) -> Result<(), sqlx::Error> {
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen_all(self.channels()).await?;
        // What was said meanwhile was not heard.
        self.hints.iter().for_each(Hint::say_here);
        // `try_recv` says `None` when the connection was lost, where `recv` would hide it.
        while let Some(notification) = listener.try_recv().await? {
            if notification.process_id() == self.session.load(Ordering::Acquire) {
                continue;
            }
            let said = (notification.channel(), notification.payload());
            self.hints
                .iter()
                .filter(|hint| (hint.channel(), hint.payload()) == said)
                .for_each(Hint::say_here);
        }
        Ok(())
    }

    fn channels(&self) -> BTreeSet<&'static str> {
        self.hints.iter().map(Hint::channel).collect()
    }
}
