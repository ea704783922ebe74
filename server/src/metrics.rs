//! What `/metrics` tells, in the [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/) text
//! format.

pub mod machinery;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use parking_lot::Mutex;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tidewatch_app::model::{WitnessOutcome, WitnessReport};
use tidewatch_webhooks::Verdict;

use self::machinery::Machinery;
use crate::state::AppState;

/// Media type of the answer.
pub const CONTENT_TYPE_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper bounds of the revocation's buckets, in seconds; it should be done within 5.
const REVOCATION_BUCKETS: [f64; 9] = [0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 60.0];

/// Upper bounds of the buckets of how long an answer takes to begin, in seconds.
const ANSWER_BUCKETS: [f64; 9] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// Metrics that differ by one word, out of a list that is fixed here.
type ByOne<M> = Family<[(&'static str, &'static str); 1], M>;
/// By two.
type ByTwo<M> = Family<[(&'static str, &'static str); 2], M>;

/// This instance's metrics. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    key_revocation: Histogram,
    connections: Gauge,
    overview_reads: Family<OverviewRead, Counter>,
    overview_waiting: Gauge,
    witness: WitnessMetrics,
    notifications_sent: Counter,
    notification_escalations: Counter,
    notifications_outside: ByOne<Counter>,
    broker_heard: ByOne<Gauge>,
    followed_events: ByOne<Counter>,
    relay_leading: Gauge,
    relay_published_events: Counter,
    streams_refused: ByOne<Counter>,
    streams_ended: ByOne<Counter>,
    traces_spans: ByOne<Counter>,
    http_requests: ByTwo<Counter>,
    http_request_duration: ByOne<Histogram>,
    webhook_attempts: ByOne<Counter>,
    pool_connections: ByTwo<Gauge>,
    pool_connections_max: ByOne<Gauge>,
    shared: SharedMetrics,
}

/// What all instances share, as this one saw it last.
#[derive(Debug, Default)]
struct SharedMetrics {
    seen: Mutex<Option<Machinery>>,
    database_up: Gauge,
    outbox_pending_events: Gauge,
    outbox_lag: Gauge<f64, AtomicU64>,
    outbox_has_leader: Gauge,
    jobs: Family<JobsOf, Gauge>,
    webhook_endpoints_failing: Gauge,
    witness_drifts: Gauge,
    postgres_connections: Gauge,
    postgres_connections_max: Gauge,
    postgres_oldest_transaction: Gauge<f64, AtomicU64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct JobsOf {
    queue: String,
    state: String,
}

/// How somebody who asked for an overview was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Outcome {
    /// With one that was kept.
    Hit,
    /// It was read for them.
    Miss,
    /// With one that was being read for somebody else.
    Coalesced,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OverviewRead {
    outcome: Outcome,
}

/// What the runs of the witness on this instance came to.
#[derive(Debug, Default)]
struct WitnessMetrics {
    runs: ByOne<Counter>,
    duration: Gauge<f64, AtomicU64>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("tidewatch");
        let key_revocation = Histogram::new(REVOCATION_BUCKETS);
        registry.register_with_unit(
            "key_revocation",
            "From the end of an API key until the last connection on its word has left",
            Unit::Seconds,
            key_revocation.clone(),
        );
        let connections = Gauge::default();
        registry.register(
            "connections",
            "Streams, waiting polls and Socket.IO clients of this instance",
            connections.clone(),
        );
        let overview_reads = Family::<OverviewRead, Counter>::default();
        for outcome in [Outcome::Hit, Outcome::Miss, Outcome::Coalesced] {
            // From the start, here and below: a rate of nothing is 0 and not unknown.
            drop(overview_reads.get_or_create(&OverviewRead { outcome }));
        }
        registry.register(
            "overview_reads",
            "Overviews asked for: answered with a kept one (Hit), read anew (Miss), or waited for with others (Coalesced)",
            overview_reads.clone(),
        );
        let overview_waiting = Gauge::default();
        registry.register(
            "overview_reads_waiting",
            "Requests that wait for an overview to be read",
            overview_waiting.clone(),
        );
        let witness = WitnessMetrics::default();
        for outcome in WitnessOutcome::ALL {
            drop(witness.runs.get_or_create(&[("outcome", outcome.as_str())]));
        }
        registry.register(
            "witness_runs",
            "Runs of the witness on this instance, by what they came to",
            witness.runs.clone(),
        );
        registry.register_with_unit(
            "witness_duration",
            "How long the last run of the witness took on this instance",
            Unit::Seconds,
            witness.duration.clone(),
        );
        let notifications_sent = Counter::default();
        registry.register(
            "notifications_sent",
            "Notifications sent by this instance, each to one recipient",
            notifications_sent.clone(),
        );
        let notification_escalations = Counter::default();
        registry.register(
            "notification_escalations",
            "Steps of escalations that this instance has taken since nobody had acknowledged in time",
            notification_escalations.clone(),
        );
        let notifications_outside = ByOne::<Counter>::default();
        for way in ["instant", "digest", "push"] {
            drop(notifications_outside.get_or_create(&[("way", way)]));
        }
        registry.register(
            "notifications_outside",
            "What this instance has sent outside: e-mails of one notification, of digests, and pushes to browsers",
            notifications_outside.clone(),
        );
        let broker_heard = Family::default();
        registry.register(
            "broker_heard",
            "Whether what carries events between instances was heard in the last 3 s: 1, or 0 while they are read from Postgres",
            broker_heard.clone(),
        );
        let followed_events = Family::default();
        registry.register(
            "followed_events",
            "Published events that came to this instance by the broker, and those that it read from the log",
            followed_events.clone(),
        );
        registry.register(
            "build",
            "Which version of Tidewatch this instance runs",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        let relay_leading = Gauge::default();
        registry.register(
            "relay_leading",
            "Whether this instance publishes for all: 1 for one of them",
            relay_leading.clone(),
        );
        let relay_published_events = Counter::default();
        registry.register(
            "relay_published_events",
            "Events that this instance has published",
            relay_published_events.clone(),
        );
        let streams_refused = ByOne::<Counter>::default();
        registry.register(
            "streams_refused",
            "Streams and polls that were refused with 429, by whose limit that was",
            streams_refused.clone(),
        );
        let traces_spans = ByOne::<Counter>::default();
        registry.register(
            "traces_spans",
            "Spans of traces of this instance: taken by the collector, not taken, and those that found no room to wait",
            traces_spans.clone(),
        );
        let streams_ended = ByOne::<Counter>::default();
        registry.register(
            "streams_ended",
            "Server-Sent Event streams that this instance has ended, by why",
            streams_ended.clone(),
        );
        let http_requests = ByTwo::<Counter>::default();
        registry.register("http_requests", "Requests that were answered", http_requests.clone());
        let http_request_duration =
            ByOne::<Histogram>::new_with_constructor(|| Histogram::new(ANSWER_BUCKETS));
        registry.register_with_unit(
            "http_request_duration",
            "From a request until its answer begins: streams begin at once",
            Unit::Seconds,
            http_request_duration.clone(),
        );
        let webhook_attempts = ByOne::<Counter>::default();
        for outcome in ["delivered", "retry", "gone", "refused"] {
            drop(webhook_attempts.get_or_create(&[("outcome", outcome)]));
        }
        registry.register(
            "webhook_attempts",
            "Webhooks that this instance has sent, by what came of it",
            webhook_attempts.clone(),
        );
        let pool_connections = ByTwo::<Gauge>::default();
        registry.register(
            "pool_connections",
            "Connections of this instance to Postgres, by what they are for and whether they are at work",
            pool_connections.clone(),
        );
        let pool_connections_max = ByOne::<Gauge>::default();
        registry.register(
            "pool_connections_max",
            "The most connections of this instance to Postgres, by what they are for",
            pool_connections_max.clone(),
        );
        let shared = SharedMetrics::default();
        shared.add_to(&mut registry);
        Self(Arc::new(Inner {
            registry,
            relay_leading,
            relay_published_events,
            streams_refused,
            traces_spans,
            streams_ended,
            http_requests,
            http_request_duration,
            webhook_attempts,
            pool_connections,
            pool_connections_max,
            shared,
            key_revocation,
            connections,
            overview_reads,
            overview_waiting,
            witness,
            notifications_sent,
            notification_escalations,
            notifications_outside,
            broker_heard,
            followed_events,
        }))
    }
}

impl Metrics {
    /// A key's last connection has left so long after its end.
    pub fn key_revoked(&self, after: Duration) {
        self.0.key_revocation.observe(after.as_secs_f64());
    }

    /// Somebody who asked for an overview was answered so.
    pub fn overview_read(&self, outcome: Outcome) {
        self.0.overview_reads.get_or_create(&OverviewRead { outcome }).inc();
    }

    /// A request waits for an overview to be read, as long as the answer lives.
    #[must_use]
    pub fn overview_waits(&self) -> Waiting {
        self.0.overview_waiting.inc();
        Waiting(self.0.overview_waiting.clone())
    }

    /// The witness has looked at a project, or could not.
    pub fn witness_ran(&self, outcome: WitnessOutcome, report: Option<&WitnessReport>) {
        let witness = &self.0.witness;
        witness.runs.get_or_create(&[("outcome", outcome.as_str())]).inc();
        if let Some(report) = report {
            witness.duration.set(Duration::from_millis(report.duration_ms).as_secs_f64());
        }
    }

    /// A notification was sent to so many.
    pub fn notifications_sent(&self, recipients: usize) {
        self.0.notifications_sent.inc_by(recipients as u64);
    }

    /// A step of an escalation was taken.
    pub fn notification_escalated(&self) {
        self.0.notification_escalations.inc();
    }

    /// Something went outside by this way: `instant`, `digest` or `push`.
    pub fn notified_outside(&self, way: &'static str) {
        self.0.notifications_outside.get_or_create(&[("way", way)]).inc();
    }

    /// A request to this area of addresses was answered; the answer began after so long.
    pub fn answered(&self, area: &'static str, status: StatusCode, took: Duration) {
        let class = match status.as_u16() {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        self.0.http_requests.get_or_create(&[("area", area), ("status", class)]).inc();
        self.0.http_request_duration.get_or_create(&[("area", area)]).observe(took.as_secs_f64());
    }

    /// A webhook was sent, and this came of it.
    pub fn webhook_attempted(&self, verdict: Verdict) {
        let outcome = match verdict {
            Verdict::Delivered => "delivered",
            Verdict::Retry { .. } => "retry",
            Verdict::Gone => "gone",
            Verdict::Refused => "refused",
        };
        self.0.webhook_attempts.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// Postgres said so of what all instances share; `None`: it did not answer.
    fn machinery_seen(&self, machinery: Option<Machinery>) {
        let shared = &self.0.shared;
        shared.database_up.set(i64::from(machinery.is_some()));
        if machinery.is_some() {
            *shared.seen.lock() = machinery;
        }
    }

    /// All of them as text, as they are now.
    ///
    /// # Errors
    /// The text cannot be written.
    pub fn encode(&self, state: &AppState) -> Result<String, std::fmt::Error> {
        self.take_over(state);
        let connections = state.presence.count();
        if let Some(carrier) = state.carrier.as_ref() {
            let broker = self.0.broker_heard.get_or_create(&[("broker", carrier.name())]);
            broker.set(i64::from(carrier.is_heard()));
            let (taken, read) = carrier.counts();
            for (source, events) in [("broker", taken), ("log", read)] {
                let counter = self.0.followed_events.get_or_create(&[("source", source)]);
                // Counted where events are followed. Added up here, two who ask at once would count them twice.
                counter.inner().fetch_max(events, Ordering::Relaxed);
            }
        }
        self.0.connections.set(i64::try_from(connections).unwrap_or(i64::MAX));
        let mut text = String::new();
        // Held until all is written: jobs are counted anew by another scrape.
        let seen = self.0.shared.seen.lock();
        if let Some(machinery) = seen.as_ref() {
            self.0.shared.set(machinery);
        }
        encode(&mut text, &self.0.registry)?;
        drop(seen);
        Ok(text)
    }

    /// What is counted elsewhere.
    fn take_over(&self, state: &AppState) {
        let inner = &self.0;
        inner.relay_leading.set(i64::from(state.relay.is_leading()));
        inner.relay_published_events.inner().fetch_max(state.relay.published(), Ordering::Relaxed);
        for (limit, streams) in state.stream_counts.refused() {
            let counter = inner.streams_refused.get_or_create(&[("limit", limit)]);
            counter.inner().fetch_max(streams, Ordering::Relaxed);
        }
        for (outcome, spans) in state.traces.counts() {
            let counter = inner.traces_spans.get_or_create(&[("outcome", outcome)]);
            counter.inner().fetch_max(spans, Ordering::Relaxed);
        }
        for (reason, streams) in state.stream_counts.ended() {
            let counter = inner.streams_ended.get_or_create(&[("reason", reason)]);
            counter.inner().fetch_max(streams, Ordering::Relaxed);
        }
        let pools = [
            ("requests", &state.pool),
            ("access", &state.access),
            ("webhooks", &state.webhooks.pool),
            ("notifications", &state.notifications.pool),
        ];
        for (pool, connections) in pools {
            let (size, idle) = (i64::from(connections.size()), connections.num_idle());
            let idle = i64::try_from(idle).unwrap_or(i64::MAX).min(size);
            inner.pool_connections.get_or_create(&[("pool", pool), ("state", "idle")]).set(idle);
            inner.pool_connections.get_or_create(&[("pool", pool), ("state", "busy")]).set(size - idle);
            let most = i64::from(connections.options().get_max_connections());
            inner.pool_connections_max.get_or_create(&[("pool", pool)]).set(most);
        }
    }
}

impl SharedMetrics {
    fn add_to(&self, registry: &mut Registry) {
        registry.register(
            "database_up",
            "Whether Postgres answered when this instance last looked at what all instances share, every 10 s; 0 as well: those metrics are old",
            self.database_up.clone(),
        );
        registry.register(
            "outbox_pending_events",
            "Recorded events that wait to be published, counted up to 10001",
            self.outbox_pending_events.clone(),
        );
        registry.register_with_unit(
            "outbox_lag",
            "For how long the oldest of them has waited",
            Unit::Seconds,
            self.outbox_lag.clone(),
        );
        registry.register(
            "outbox_has_leader",
            "Whether some instance publishes",
            self.outbox_has_leader.clone(),
        );
        registry.register(
            "jobs",
            "Jobs that wait for a worker, have one, or were given up, by queue, counted up to 10001 of each state",
            self.jobs.clone(),
        );
        registry.register(
            "webhook_endpoints_failing",
            "Endpoints of webhooks that take nothing, and are not disabled for it yet",
            self.webhook_endpoints_failing.clone(),
        );
        registry.register(
            "witness_drifts",
            "Differences between tables and events that the last run of the witness in each project found",
            self.witness_drifts.clone(),
        );
        registry.register(
            "postgres_connections",
            "Connections to Postgres, of everybody",
            self.postgres_connections.clone(),
        );
        registry.register(
            "postgres_connections_max",
            "The most connections that Postgres takes",
            self.postgres_connections_max.clone(),
        );
        registry.register_with_unit(
            "postgres_oldest_transaction",
            "For how long the oldest transaction of the database is open",
            Unit::Seconds,
            self.postgres_oldest_transaction.clone(),
        );
    }

    fn set(&self, seen: &Machinery) {
        self.outbox_pending_events.set(seen.pending);
        self.outbox_lag.set(seen.lag_seconds);
        self.outbox_has_leader.set(i64::from(seen.has_leader));
        self.jobs.clear();
        for row in &seen.jobs {
            let of = JobsOf { queue: row.queue.clone(), state: row.state.to_string() };
            self.jobs.get_or_create(&of).set(i64::try_from(row.jobs).unwrap_or(i64::MAX));
        }
        self.webhook_endpoints_failing.set(seen.failing_webhooks);
        self.witness_drifts.set(seen.drifts);
        self.postgres_connections.set(seen.connections);
        self.postgres_connections_max.set(seen.max_connections);
        self.postgres_oldest_transaction.set(seen.oldest_transaction_seconds);
    }
}

/// Counts for as long as it lives.
#[derive(Debug)]
pub struct Waiting(Gauge);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.dec();
    }
}
