//! The relay: gives committed events their position, alone.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tidewatch_events::EventId;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::trace::{PublishedTrace, Tracer};
use crate::wake::Waker;

/// The advisory lock of the leader: `tidewatc` in ASCII. Advisory locks are per database.
pub const LEADER_LOCK: i64 = i64::from_be_bytes(*b"tidewatc");

/// What Postgres says to a session that would give positions in a term that is over.
pub const FENCED: &str = "TWF01";

/// How the relay works.
#[derive(Debug, Clone, Copy)]
pub struct RelayConfig {
    /// Longest time between two looks for committed events; wake-ups only shorten it.
    pub poll: Duration,
    /// Most events published in one transaction, 100 to 5,000.
    pub batch: i64,
    /// How often a standby tries to take over.
    pub takeover: Duration,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self { poll: Duration::from_millis(500), batch: 1_000, takeover: Duration::from_secs(1) }
    }
}

/// What the relay of this process is doing, for readiness and metrics.
#[derive(Debug, Default)]
pub struct RelayStatus {
    leading: AtomicBool,
    published: AtomicU64,
}

impl RelayStatus {
    /// Whether this process is the leader.
    #[must_use]
    pub fn is_leading(&self) -> bool {
        self.leading.load(Ordering::Relaxed)
    }

    /// Events that this process has published since it started.
    #[must_use]
    pub fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }
}

/// Publishes committed events, as long as it holds the leader's lock.
///
/// Split brain is impossible: the lock belongs to the very database session that publishes. When
/// the session ends, the lock is free and nothing can be written through it any more. A leader
/// that is paused or cut off loses its session by `idle_session_timeout` and TCP keep-alive on the
/// server's side, within 5 s, and wakes up to a closed connection. Behind the lock stands a fence:
/// each leader takes a [`Term`], and Postgres refuses positions that are given in an earlier one.
#[derive(Debug)]
pub struct Relay {
    options: PgConnectOptions,
    config: RelayConfig,
    waker: Waker,
    status: Arc<RelayStatus>,
    name: String,
    tracer: Option<Arc<dyn Tracer>>,
}

impl Relay {
    /// A relay that connects by `options` and is woken by `waker`.
    #[must_use]
    pub fn new(options: PgConnectOptions, config: RelayConfig, waker: Waker) -> Self {
        Self { options, config, waker, status: Arc::default(), name: "a relay".to_owned(), tracer: None }
    }

    /// The same relay under the name by which operators know its process.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The same, followed by this one.
    #[must_use]
    pub fn traced_by(mut self, tracer: Option<Arc<dyn Tracer>>) -> Self {
        self.tracer = tracer;
        self
    }

    /// What it is doing.
    #[must_use]
    pub fn status(&self) -> Arc<RelayStatus> {
        Arc::clone(&self.status)
    }

    /// Leads, or stands by, until `shutdown`. After any error it connects anew and stands for
    /// election again.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut failures = 0u32;
        while !shutdown.is_cancelled() {
            let ended = tokio::select! {
                ended = self.stand_and_lead() => ended,
                () = shutdown.cancelled() => break,
            };
            // Who got as far as to lead begins to count anew.
            if self.status.leading.swap(false, Ordering::Relaxed) {
                failures = 0;
            }
            if let Err(error) = ended {
                failures += 1;
                let pause = Duration::from_millis(100 << failures.min(5));
                tracing::warn!(%error, ?pause, "the relay lost its session and will connect again");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = shutdown.cancelled() => break,
                }
            }
        }
        self.status.leading.store(false, Ordering::Relaxed);
    }

    /// One session: wait for the lock, then publish until something fails.
    async fn stand_and_lead(&self) -> Result<(), sqlx::Error> {
        let mut session = connect(&self.options).await?;
        let term = loop {
            match lead(&mut session, &self.name).await? {
                Some(term) => break term,
                None => tokio::time::sleep(self.config.takeover).await,
            }
        };
        self.status.leading.store(true, Ordering::Relaxed);
        tracing::info!(%term, "this process publishes events now");
        let mut recorded = self.waker.recorded();
        loop {
            let published = match &self.tracer {
                None => publish_pending(&mut session, self.config.batch).await?,
                Some(tracer) => publish_traced(&mut session, self.config.batch, &**tracer).await?,
            };
            if published > 0 {
                self.status.published.fetch_add(published, Ordering::Relaxed);
                self.waker.wake_readers();
            }
            if published < self.config.batch.unsigned_abs() {
                // A wake-up, or the poll: whichever comes first.
                let _ = tokio::time::timeout(self.config.poll, recorded.wait()).await;
            }
        }
    }
}

/// A session that the server ends by itself when its owner is gone, paused or cut off.
async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let options = options.clone().application_name("tidewatch relay").options([
        ("idle_session_timeout", "4s"),
        ("idle_in_transaction_session_timeout", "4s"),
        ("tcp_keepalives_idle", "1"),
        ("tcp_keepalives_interval", "1"),
        ("tcp_keepalives_count", "3"),
        ("statement_timeout", "30s"),
    ]);
    PgConnection::connect_with(&options).await
}

/// How often somebody began to lead: a later leader has a greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Term(i64);

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Has this session lead under a name that operators know, in a term of its own, until it ends; `None` while another does.
/// What an earlier leader is publishing is finished first; whatever it would publish from then on is refused by the
/// database, with the SQLSTATE [`FENCED`].
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lead(session: &mut PgConnection, name: &str) -> Result<Option<Term>, sqlx::Error> {
    let is_free: bool = sqlx::query_scalar("select pg_try_advisory_lock($1)")
        .bind(LEADER_LOCK)
        .fetch_one(&mut *session)
        .await?;
    if !is_free {
        return Ok(None);
    }
    let term: i64 = sqlx::query_scalar(
        "update relay_leadership set term = term + 1, leader = $1, since = clock_timestamp() returning term",
    )
    .bind(name)
    .fetch_one(&mut *session)
    .await?;
    sqlx::query("select set_config('tidewatch.relay_term', $1, false)")
        .bind(term.to_string())
        .execute(session)
        .await?;
    Ok(Some(Term(term)))
}

/// The oldest committed events without a position, each with its rank in its project, and the last positions of those projects.
macro_rules! ranked {
    () => {
        "with pending as materialized (
             select event_id, recorded_on, project_id, aggregate_version,
                    max(sequence) over (partition by project_id, aggregate_type, aggregate_id
                                        order by aggregate_version) as turn
             from (select * from domain_events where position is null order by sequence limit $1) oldest
         ), ranked as (
             select event_id, recorded_on, project_id,
                    row_number() over (partition by project_id order by turn, aggregate_version) as rank,
                    count(*) over (partition by project_id) as size
             from pending
         ), streams as (
             insert into project_streams as stream (project_id, last_position)
             select distinct project_id, size from ranked
             on conflict (project_id) do update set last_position = stream.last_position + excluded.last_position
             returning project_id, last_position
         )"
    };
}

/// Gives them their positions.
macro_rules! publish {
    () => {
        "update domain_events event
             set position = streams.last_position - ranked.size + ranked.rank, published_at = clock_timestamp()
             from ranked join streams using (project_id)
             where event.event_id = ranked.event_id and event.recorded_on = ranked.recorded_on"
    };
}

/// Publishes at most `batch` committed events, in one transaction, and says how many.
///
/// Positions go on from each project's last one, without a hole. Events are taken in the order of
/// insertion, but those of one aggregate that are in the batch in the order of their versions,
/// whatever the order in which they were inserted. Only the session that leads may call it: see [`lead`].
///
/// # Errors
/// Postgres refused or could not be reached; then nothing of the batch is published.
pub async fn publish_pending(session: &mut PgConnection, batch: i64) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(concat!(ranked!(), " ", publish!())).bind(batch).execute(session).await?;
    Ok(done.rows_affected())
}

/// The same, where somebody follows traces.
async fn publish_traced(
    session: &mut PgConnection,
    batch: i64,
    tracer: &dyn Tracer,
) -> Result<u64, sqlx::Error> {
    let began = SystemTime::now();
    // The flags' last bit says whether a trace is recorded.
    let (published, ids, types, positions, traceparents): (
        i64,
        Vec<Uuid>,
        Vec<String>,
        Vec<i64>,
        Vec<String>,
    ) = sqlx::query_as(concat!(
        ranked!(),
        ", published as (",
        publish!(),
        " returning event.event_id, event.event_type, event.position,
                        event.metadata->>'traceparent' as traceparent
             ), traced as (select * from published where traceparent ~ '-.[13579bdf]$')
             select (select count(*) from published),
                    coalesce(array_agg(event_id), '{}'), coalesce(array_agg(event_type), '{}'),
                    coalesce(array_agg(position), '{}'), coalesce(array_agg(traceparent), '{}')
             from traced"
    ))
    .bind(batch)
    .fetch_one(session)
    .await?;
    let events: Vec<PublishedTrace> = ids
        .into_iter()
        .zip(types)
        .zip(positions.into_iter().zip(traceparents))
        .map(|((id, event_type), (position, traceparent))| PublishedTrace {
            event_id: EventId::from_uuid(id),
            event_type,
            position,
            traceparent,
        })
        .collect();
    tracer.published(began, &events);
    Ok(published.unsigned_abs())
}
