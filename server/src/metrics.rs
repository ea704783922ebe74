//! What `/metrics` tells, in the [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/) text
//! format.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

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
        Self(Arc::new(Inner { registry, key_revocation, connections }))
    }
}

impl Metrics {
    /// A key's last connection has left so long after its end.
    pub fn key_revoked(&self, after: Duration) {
        self.0.key_revocation.observe(after.as_secs_f64());
    }

    /// All of them as text, with so many connections open now.
    ///
    /// # Errors
    /// The text cannot be written.
    pub fn encode(&self, connections: usize) -> Result<String, std::fmt::Error> {
        self.0.connections.set(i64::try_from(connections).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.0.registry)?;
        Ok(text)
    }
}
