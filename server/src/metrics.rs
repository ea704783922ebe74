//! What `/metrics` tells, in the [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/) text
//! format.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use tidewatch_app::model::{WitnessOutcome, WitnessReport};
use tidewatch_events::ProjectId;
use tidewatch_outbox::Carrier;

/// Media type of the answer.
pub const CONTENT_TYPE_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Upper bounds of the revocation's buckets, in seconds; it should be done within 5.
const REVOCATION_BUCKETS: [f64; 9] = [0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 60.0];

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
    notifications_outside: Family<[(&'static str, &'static str); 1], Counter>,
    broker_heard: Family<[(&'static str, &'static str); 1], Gauge>,
    followed_events: Family<[(&'static str, &'static str); 1], Counter>,
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
    runs: Family<[(&'static str, &'static str); 1], Counter>,
    drifts: Gauge,
    duration: Gauge<f64, AtomicU64>,
    /// Of each project, the differences that its last run found: projects are no labels, for their number has no
    /// bound.
    by_project: Mutex<HashMap<ProjectId, u64>>,
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
            // From the start: a rate of nothing is 0 and not unknown.
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
        registry.register(
            "witness_runs",
            "Runs of the witness on this instance, by what they came to",
            witness.runs.clone(),
        );
        registry.register(
            "witness_drifts",
            "Differences between tables and events that the last run in each project found on this instance",
            witness.drifts.clone(),
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
        let notifications_outside = Family::default();
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
        Self(Arc::new(Inner {
            registry,
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
    pub fn witness_ran(&self, project: ProjectId, outcome: WitnessOutcome, report: Option<&WitnessReport>) {
        let witness = &self.0.witness;
        witness.runs.get_or_create(&[("outcome", outcome.as_str())]).inc();
        let Some(report) = report else { return };
        witness.duration.set(Duration::from_millis(report.duration_ms).as_secs_f64());
        let mut by_project = witness.by_project.lock();
        by_project.insert(project, report.drift_count);
        witness.drifts.set(i64::try_from(by_project.values().sum::<u64>()).unwrap_or(i64::MAX));
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

    /// All of them as text, with so many connections open now, and how what carries events between instances does.
    ///
    /// # Errors
    /// The text cannot be written.
    pub fn encode(&self, connections: usize, carrier: Option<&Carrier>) -> Result<String, std::fmt::Error> {
        if let Some(carrier) = carrier {
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
        encode(&mut text, &self.0.registry)?;
        Ok(text)
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
