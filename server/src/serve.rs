//! Starting, running and ending everything in order.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use leptos::config::LeptosOptions;
use rand::seq::SliceRandom;
use socketioxide::SocketIo;
use sqlx::Executor;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tidewatch_hub::{CloseReason, Hub, HubConfig};
use tidewatch_jobs::{WorkerOptions, Workers};
use tidewatch_outbox::{
    Follower, FollowerConfig, Outbox, PublishedLog, Relay, RelayConfig, Tracer, Waker, retention,
};
use tidewatch_webhooks::{Guard, Sender};
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::channel_token::ChannelTokens;
use crate::access::embed_token::EmbedTokens;
use crate::access::publish_limit::{self, PublishLimit};
use crate::access::secret::{Digester, random_bytes};
use crate::access::token::Tokens;
use crate::broker;
use crate::config::{DatabaseConfig, ServeConfig};
use crate::db;
use crate::deliveries::Deliveries;
use crate::gateway;
use crate::http::detach::Detached;
use crate::http::router::router;
use crate::http::socket::{Peer, Sockets};
use crate::installation::Tidewatch;
use crate::jobs;
use crate::metrics::{Metrics, machinery};
use crate::notifications::outside::Outside;
use crate::notifications::{self, Notifications};
use crate::presence::Presence;
use crate::reads::Reads;
use crate::rollups;
use crate::state::{AppState, Readiness};
use crate::stream::history::LogHistory;
use crate::stream::limits::{StreamCounts, StreamLimits};
use crate::stream::sink::HubSink;
use crate::stream::warden::Warden;
use crate::traces::Traces;
use crate::walker::Walker;
use crate::webhooks::{self, Webhooks};

/// How long a request waits for a connection before it is told to come back.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(3);
/// Connections of the follower and of replays: fan-out goes on when requests use up theirs.
const SYSTEM_CONNECTIONS: u32 = 4;
/// Connections for finding out who is asking: short, indexed look-ups, one a request.
const ACCESS_CONNECTIONS: u32 = 6;
/// Connections of the workers of all queues of jobs.
const WORKER_CONNECTIONS: u32 = 6;
/// Connections of who dispatches webhooks, sends them and notes what came of it.
const WEBHOOK_CONNECTIONS: u32 = 4;
/// Connections of who makes notifications of events.
const NOTIFICATION_CONNECTIONS: u32 = 4;
/// Passwords hashed at once.
const PASSWORDS_AT_ONCE: usize = 2;
/// How often sessions, tokens, failed logins and checks of servers that count no longer are deleted.
const SWEEP: Duration = Duration::from_secs(10 * 60);
/// Connections that wait to be taken, as the system allows.
const BACKLOG: u32 = 1_024;
/// Streams that are ended in a second at shutdown, unless that would take longer than there is time.
const ENDED_PER_SECOND: u64 = 200;
/// How long Socket.IO clients have to take what they are told at the end.
const SOCKETS_LAST_WORDS: Duration = Duration::from_secs(1);
/// The migrations, compiled in.
pub static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations");

/// A socket at this address, to which nobody can connect yet.
///
/// # Errors
/// Another program has the address, or it is none of this machine.
pub fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As a listener of the standard library: what lingers of an earlier process does not count.
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

/// A pool of connections with all rights of the database's owner, for commands.
#[must_use]
pub fn connect(config: &DatabaseConfig) -> PgPool {
    pool(config, config.database_connections, "tidewatch")
}

/// Most connections to Postgres that an instance with this configuration opens.
#[must_use]
pub const fn connections_of(config: &DatabaseConfig) -> u32 {
    // The follower, the relay and those who listen have one each.
    const OTHERS: u32 = 4;
    config.database_connections
        + ACCESS_CONNECTIONS
        + SYSTEM_CONNECTIONS
        + WORKER_CONNECTIONS
        + WEBHOOK_CONNECTIONS
        + NOTIFICATION_CONNECTIONS
        + OTHERS
}

/// A pool of connections that row-level security holds: they show and change the rows of one
/// project alone, the one that the transaction names.
#[must_use]
pub fn connect_restricted(config: &DatabaseConfig) -> PgPool {
    pool_options(config.database_connections)
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute("set role tidewatch_app").await.map(drop) })
        })
        .connect_lazy_with(config.database_url.0.clone().application_name("tidewatch"))
}

fn pool(config: &DatabaseConfig, connections: u32, name: &str) -> PgPool {
    pool_options(connections).connect_lazy_with(config.database_url.0.clone().application_name(name))
}

fn pool_options(connections: u32) -> PgPoolOptions {
    PgPoolOptions::new().max_connections(connections).acquire_timeout(ACQUIRE_TIMEOUT)
}

/// Serves until `shutdown`, then ends in order: new work is refused, streams are told and end,
/// requests are finished, and what has not ended by the deadline is dropped.
///
/// Nobody can connect to `socket`, which is bound, before everything is prepared: who asks earlier is refused at once and
/// goes elsewhere, in place of waiting for an instance that may not come up.
///
/// # Errors
/// Postgres cannot be reached at the start, its schema is not up to date, or the listener fails.
pub async fn run(
    tidewatch: &Tidewatch,
    socket: TcpSocket,
    config: ServeConfig,
    shutdown: CancellationToken,
) -> anyhow::Result<()> {
    let options = config.database.database_url.0.clone();
    let state = prepare(tidewatch, config).await?;
    let background = CancellationToken::new();
    let tasks = TaskTracker::new();

    let waker = state.waker.clone();
    let handouts = TaskTracker::new();
    let mut follower = Follower::new(
        PublishedLog::new(state.follower),
        follower_config(&state.app),
        waker.clone(),
        HubSink {
            hub: state.app.hub.clone(),
            published: [
                state.app.webhooks.alarm.published.clone(),
                state.app.notifications.alarm.published.clone(),
            ],
            generations: state.app.reads.generations.clone(),
            tasks: handouts.clone(),
        },
    );
    if let Some(carrier) = state.app.carrier.clone() {
        follower = follower.with_carrier(carrier.clone());
        tasks.spawn(carrier.run(background.clone()));
    }
    follower.open().await.context("cannot read the published log")?;
    tasks.spawn(waker.run(options.clone(), background.clone()));
    tasks.spawn(state.relay.run(background.clone()));
    tasks.spawn(follower.run(background.clone()));
    tasks.spawn(state.app.warden.clone().run(background.clone()));
    tasks.spawn(state.app.presence.clone().run(background.clone()));
    let instance = state.app.presence.instance();
    let exchange = publish_limit::exchange::run(
        state.app.publish_limit.clone(),
        state.system.clone(),
        instance,
        background.clone(),
    );
    tasks.spawn(exchange);
    tasks.spawn(state.app.deliveries.clone().tidy(background.clone()));
    tasks.spawn(state.app.jobs.clone().run(options.clone(), background.clone()));
    let workers = Workers::new(state.workers.clone(), WorkerOptions::default(), jobs::registry(&state.app))
        .woken_by(state.app.jobs.clone());
    tasks.spawn(workers.run(background.clone()));
    // Beside the others: receivers that take their time must not hold up what has to be done at once.
    let senders =
        Workers::new(state.workers.clone(), jobs::webhook_workers(), jobs::webhook_registry(&state.app))
            .woken_by(state.app.jobs.clone());
    tasks.spawn(senders.run(background.clone()));
    let mailers = Workers::new(state.workers.clone(), jobs::mail_workers(), jobs::mail_registry(&state.app))
        .woken_by(state.app.jobs.clone());
    tasks.spawn(mailers.run(background.clone()));
    let tellers = Workers::new(state.workers, jobs::outside_workers(), jobs::outside_registry(&state.app))
        .woken_by(state.app.jobs.clone());
    tasks.spawn(tellers.run(background.clone()));
    let Webhooks { pool, alarm, .. } = state.app.webhooks.clone();
    let dispatch = webhooks::dispatcher::Dispatch { traces: state.app.traces.clone() };
    tasks.spawn(Walker::new(&state.app, pool, alarm).run(dispatch, background.clone()));
    let Notifications { pool, alarm, .. } = state.app.notifications.clone();
    let dispatch = notifications::dispatcher::Dispatch { traces: state.app.traces.clone() };
    tasks.spawn(Walker::new(&state.app, pool, alarm).run(dispatch, background.clone()));
    let system = state.system.clone();
    tasks.spawn(machinery::watch(state.app.metrics.clone(), system.clone(), background.clone()));
    tasks.spawn(rollups::run(system.clone(), background.clone()));
    tasks.spawn(webhooks::retention::run(system.clone(), background.clone()));
    tasks.spawn(notifications::retention::run(system.clone(), background.clone()));
    tasks.spawn(retention::run(system.clone(), retention_config(&state.app), background.clone()));
    tasks.spawn(tidewatch_jobs::retention::run(system.clone(), Default::default(), background.clone()));
    tasks.spawn(jobs::run_witness::keep(state.app.clone(), system.clone(), background.clone()));
    tasks.spawn(jobs::send_digests::keep(state.app.clone(), system.clone(), background.clone()));
    tasks.spawn(jobs::bulk_move::end::keep(state.app.clone(), system.clone(), background.clone()));
    tasks.spawn(sweep(system, state.app.publish_limit.clone(), background.clone()));
    tasks.close();

    let listener = socket.listen(BACKLOG).context("cannot listen")?;
    let address = listener.local_addr().context("the listener has no address")?;
    tracing::info!(%address, instance = state.app.config.instance_name(), "serving");
    let app = state.app.clone();
    let drain = Duration::from_secs(app.config.drain_seconds);
    let listener = Sockets::new(listener, Duration::from_secs(app.config.stall_seconds));
    let (gateway, sockets) = gateway::layer(state.app.clone());
    let service = router(state.app, gateway).into_make_service_with_connect_info::<Peer>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(drain_at(
        app.clone(),
        sockets,
        shutdown.clone(),
        handouts.clone(),
    ));
    let serving = async {
        serving.await?;
        app.detached.ended().await;
        Ok(())
    };
    let ended = end_within(serving, &shutdown, drain).await;

    background.cancel();
    handouts.close();
    let all = async { tokio::join!(tasks.wait(), handouts.wait()) };
    if tokio::time::timeout(Duration::from_secs(5), all).await.is_err() {
        tracing::warn!("some background tasks did not end in time");
    }
    app.pool.close().await;
    app.access.close().await;
    app.traces.finish().await;
    ended
}

struct Prepared {
    app: AppState,
    waker: Waker,
    relay: Relay,
    system: PgPool,
    /// The follower's own connection.
    follower: PgPool,
    /// The workers' own connections: their signs of life must not wait behind what their jobs ask.
    workers: PgPool,
}

async fn prepare(tidewatch: &Tidewatch, config: ServeConfig) -> anyhow::Result<Prepared> {
    let pool = connect_restricted(&config.database);
    let access = self::pool(&config.database, ACCESS_CONNECTIONS, "tidewatch access");
    check_schema(tidewatch, &access).await?;
    let digester = Digester::new(match &config.secret {
        Some(secret) => secrecy::ExposeSecret::expose_secret(secret).as_bytes().to_vec(),
        None => db::secrets::ensure(&access, "digests", &random_bytes())
            .await
            .context("cannot read the server's secret")?,
    });
    let system_pool = self::pool(&config.database, SYSTEM_CONNECTIONS, "tidewatch system");
    let log = PublishedLog::new(system_pool.clone());
    let hub_config = HubConfig {
        ring_events: config.ring_events as usize,
        max_replay: u64::from(config.replay_events),
        ..HubConfig::default()
    };
    let waker = Waker::default();
    let relay = Relay::new(config.database.database_url.0.clone(), relay_config(&config), waker.clone())
        .named(config.instance_name());
    let carrier = broker::prepare(&config, &digester, relay.status()).context("cannot use the broker")?;
    let leptos_options = LeptosOptions::builder()
        .output_name("tidewatch")
        .site_root(config.site.as_str())
        .site_pkg_dir("pkg")
        .site_addr(config.listen)
        .hash_files(true)
        .build();
    let hub = Hub::new(hub_config, Arc::new(LogHistory(log.clone())));
    let deliveries = Deliveries::new(config.instance_name(), hub.clone(), system_pool.clone());
    let sender = Sender::new(Guard::new(config.webhook_allowed_networks.clone()))?;
    let webhook_pool = self::pool(&config.database, WEBHOOK_CONNECTIONS, "tidewatch webhooks");
    let notification_pool = self::pool(&config.database, NOTIFICATION_CONNECTIONS, "tidewatch notifications");
    let outside = Outside::prepare(&config.outside, &access, &digester).await?;
    let metrics = Metrics::default();
    let traces =
        Traces::start(&config.traces, config.instance_name()).context("cannot send traces anywhere")?;
    let tracer = || traces.is_on().then(|| Arc::new(traces.clone()) as Arc<dyn Tracer>);
    let relay = relay.traced_by(tracer());
    let stream_counts = StreamCounts::new(StreamLimits {
        per_user: config.streams_per_user,
        per_key: config.streams_per_key,
        per_address: config.streams_per_address,
    });
    let app = AppState {
        webhooks: Webhooks::new(webhook_pool, sender, &digester),
        outside,
        notifications: Notifications::new(
            notification_pool.clone(),
            Outbox::new(notification_pool, waker.clone()).traced_by(tracer()),
        ),
        jobs: tidewatch_jobs::Waker::default(),
        modules: tidewatch.modules().clone(),
        reads: Reads::new(metrics.clone()),
        metrics,
        outbox: Outbox::new(pool.clone(), waker.clone()).traced_by(tracer()),
        traces: traces.clone(),
        detached: Detached::new(Duration::from_secs(config.stall_seconds)),
        warden: Warden::new(hub.clone(), access.clone()),
        presence: Presence::new(
            config.instance_name(),
            hub.clone(),
            deliveries.clone(),
            system_pool.clone(),
            carrier.clone(),
            stream_counts.clone(),
        ),
        stream_counts,
        relay: relay.status(),
        carrier,
        deliveries,
        hub,
        pool,
        access,
        log,
        tokens: Tokens::new(&digester),
        channel_tokens: ChannelTokens::new(&digester),
        embed_tokens: EmbedTokens::new(&digester),
        publish_limit: PublishLimit::new(config.publishes_per_second),
        digester,
        password_hashing: Arc::new(Semaphore::new(PASSWORDS_AT_ONCE)),
        readiness: Arc::new(Readiness::default()),
        config: Arc::new(config),
        leptos_options,
    };
    // It reads at each publication, and tries again whatever fails: no look beforehand whether the
    // connection is alive.
    let follower = pool_options(1)
        .test_before_acquire(false)
        .connect_lazy_with(app.config.database.database_url.0.clone().application_name("tidewatch follower"));
    let workers = self::pool(&app.config.database, WORKER_CONNECTIONS, "tidewatch jobs");
    Ok(Prepared { app, waker, relay, system: system_pool, follower, workers })
}

/// Refuses to start on a schema that this program does not know, instead of failing at some query.
async fn check_schema(tidewatch: &Tidewatch, pool: &PgPool) -> anyhow::Result<()> {
    let mut connection = pool.acquire().await.context("cannot reach Postgres; is DATABASE_URL right?")?;
    let lacking = tidewatch.lacking(&mut connection).await.context("cannot read the schema")?;
    let Some(first) = lacking.first() else { return Ok(()) };
    let all: Vec<String> = lacking.iter().map(ToString::to_string).collect();
    anyhow::bail!("{}. {}", all.join("; "), first.advice())
}

fn relay_config(config: &ServeConfig) -> RelayConfig {
    RelayConfig { poll: Duration::from_millis(config.poll_ms), ..RelayConfig::default() }
}

fn follower_config(app: &AppState) -> FollowerConfig {
    FollowerConfig { poll: Duration::from_millis(app.config.poll_ms), ..FollowerConfig::default() }
}

fn retention_config(app: &AppState) -> retention::RetentionConfig {
    let days = u64::from(app.config.retention_days);
    retention::RetentionConfig { keep: Duration::from_secs(days * 24 * 60 * 60), ..Default::default() }
}

/// Waits for `shutdown`, then has work sent elsewhere, and ends the streams behind that: when this returns, no new
/// connection is taken. Streams end one after the other in a task of `tasks`.
async fn drain_at(app: AppState, sockets: SocketIo, shutdown: CancellationToken, tasks: TaskTracker) {
    shutdown.cancelled().await;
    let connections = app.hub.connection_count();
    tracing::info!(connections, "going down: no longer ready");
    app.readiness.leave();
    let notice = Duration::from_secs(app.config.drain_notice_seconds);
    tokio::time::sleep(notice).await;
    app.readiness.start_draining();
    let present = app.hub.start_draining();
    let most = Duration::from_secs(app.config.drain_seconds).saturating_sub(notice) / 2;
    let spread = most.min(Duration::from_millis(present.len() as u64 * 1_000 / ENDED_PER_SECOND));
    tracing::info!(streams = present.len(), ?spread, "streams are told and end");
    // Not awaited: streams end meanwhile.
    tasks.spawn(async move {
        let end = |id| {
            app.hub.close(id, CloseReason::Draining);
        };
        end_evenly(present, spread, end).await;
        // Behind the last words, the transport's end brings clients back.
        tokio::time::sleep(SOCKETS_LAST_WORDS).await;
        sockets.close().await;
    });
}

/// Ends each of these, evenly over `spread` and in no order: their clients come back to others one after the other, and each
/// draws a pause of its own.
async fn end_evenly<T>(mut present: Vec<T>, spread: Duration, mut end: impl FnMut(T)) {
    present.shuffle(&mut rand::rng());
    let begin = Instant::now();
    let pace = spread.checked_div(u32::try_from(present.len()).unwrap_or(u32::MAX)).unwrap_or_default();
    for (number, one) in (0..).zip(present) {
        let due = begin + pace * number;
        // Timers count in milliseconds: those that are due by then end together.
        if due.saturating_duration_since(Instant::now()) >= Duration::from_millis(1) {
            tokio::time::sleep_until(due).await;
        }
        end(one);
    }
}

/// Runs `serving` to its end, but for no longer than `patience` behind `shutdown`.
async fn end_within(
    serving: impl Future<Output = std::io::Result<()>>,
    shutdown: &CancellationToken,
    patience: Duration,
) -> anyhow::Result<()> {
    let deadline = async {
        shutdown.cancelled().await;
        tokio::time::sleep(patience).await;
    };
    tokio::select! {
        ended = serving => ended.context("the listener failed"),
        () = deadline => {
            tracing::warn!(?patience, "some requests did not end in time and are dropped");
            Ok(())
        }
    }
}

async fn sweep(pool: PgPool, publish_limit: PublishLimit, shutdown: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => {}
            () = shutdown.cancelled() => return,
        }
        publish_limit.forget_idle();
        if let Err(error) = delete_expired(&pool).await {
            tracing::warn!(%error, "cannot delete what has expired; will try again");
        }
    }
}

async fn delete_expired(pool: &PgPool) -> Result<(), sqlx::Error> {
    let sessions = db::sessions::delete_expired(pool).await?;
    let tokens = db::tokens::delete_expired(pool).await?;
    db::login_failures::forget_old(pool).await?;
    let idempotency_keys = db::publishing::forget_old_keys(pool).await?;
    let server_checks = db::server_checks::forget_old(pool).await?;
    tracing::debug!(sessions, tokens, idempotency_keys, server_checks, "deleted what has expired");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_for_what_does_not_listen_yet() {
        let socket = bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a socket");
        let address = socket.local_addr().expect("an address");
        assert!(tokio::net::TcpStream::connect(address).await.is_err(), "refused at once");
        let listener = socket.listen(BACKLOG).expect("a listener");
        tokio::net::TcpStream::connect(address).await.expect("taken");
        assert!(bind(address).and_then(|socket| socket.listen(1)).is_err(), "the address is in use");
        drop(listener);
    }

    #[tokio::test(start_paused = true)]
    async fn streams_end_evenly_and_in_no_order() {
        let begin = Instant::now();
        let mut ended = Vec::new();
        end_evenly((0..1_000).collect(), Duration::from_secs(5), |id: u32| ended.push((id, begin.elapsed())))
            .await;
        let in_the_first =
            |seconds| ended.iter().filter(|(_, at)| *at < Duration::from_secs(seconds)).count();
        for seconds in 1..=5 {
            let expected = 200 * seconds as usize;
            assert!(in_the_first(seconds).abs_diff(expected) <= 1, "{} of {expected}", in_the_first(seconds));
        }
        assert!(!ended.iter().map(|(id, _)| *id).is_sorted());
        let begin = Instant::now();
        end_evenly(vec![(); 10], Duration::ZERO, |()| {}).await;
        assert_eq!(begin.elapsed(), Duration::ZERO, "few end at once");
    }
}
