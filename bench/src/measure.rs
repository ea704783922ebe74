//! One window of publishing, with everything that is counted in it.

use std::time::Duration;

use tokio::time::Instant;

use crate::context::Context;
use crate::process::{cpu_of_self, cpu_of_tree};
use crate::publish::{Publishers, Topics, at_rate, saturate};
use crate::readers::{Latencies, Readers};
use crate::systems::Running;

/// How long nothing may arrive until what is missing counts as lost.
const SILENCE: Duration = Duration::from_secs(3);
/// Events that go out before anything is counted.
const WARM_UP: Duration = Duration::from_millis(500);

/// How events are published.
#[derive(Debug, Clone, Copy)]
pub enum Load {
    /// So many a second.
    PerSecond(f64),
    /// As many as the publishers can have accepted one after the other.
    Saturated,
}

/// What a window came to.
#[derive(Debug, Clone)]
pub struct Window {
    /// Events published a second.
    pub rate: f64,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// Events that arrived, over all readers.
    pub deliveries: u64,
    /// Events that did not, over all readers.
    pub lost: u64,
    /// Bytes on the wire of each delivery.
    pub bytes_per_delivery: f64,
    /// Events that came together, in one read: 1 where each is sent by itself.
    pub events_per_read: f64,
    /// CPU seconds of the server.
    pub server_cpu: f64,
    /// Share of a core that the server used.
    pub server_share: f64,
    /// Share of a core that the readers' thread used.
    pub readers_share: f64,
    /// Share of a core that the generator used: readers and publishers.
    pub generator_share: f64,
    /// Share of a core that the database (or Redis) used.
    pub helper_share: f64,
    /// Latencies in microseconds.
    pub latencies: Latencies,
}

impl Window {
    /// CPU seconds of the server for each 100,000 deliveries.
    #[must_use]
    pub fn cpu_per_100k(&self) -> f64 {
        self.server_cpu / self.deliveries as f64 * 100_000.0
    }

    /// A quantile of the latencies, in milliseconds.
    #[must_use]
    pub fn latency_ms(&self, quantile: f64) -> f64 {
        self.latencies.value_at_quantile(quantile) as f64 / 1000.0
    }
}

/// A few events that nobody counts, so that nothing is measured cold.
///
/// # Errors
/// One could not be published.
pub async fn warm_up(
    context: &Context,
    readers: &Readers,
    publishers: &mut Publishers,
    topics: Topics,
) -> anyhow::Result<()> {
    at_rate(publishers, &context.clock, topics, 50.0, WARM_UP).await?;
    readers.until_deliveries(u64::MAX, Duration::from_millis(700)).await;
    Ok(())
}

/// Publishes for a while and counts until everything has arrived.
///
/// `concerned` is how many readers each event is for.
///
/// # Errors
/// An event could not be published, or the generator failed.
pub async fn window(
    context: &Context,
    running: &dyn Running,
    readers: &Readers,
    publishers: &mut Publishers,
    (load, topics, concerned): (Load, Topics, u64),
    duration: Duration,
) -> anyhow::Result<Window> {
    readers.reset().await?;
    let helper_cpu = || running.helper().map_or(0.0, cpu_of_tree);
    let before = (cpu_of_tree(running.pid()), readers.cpu(), cpu_of_self(), helper_cpu());
    let start = Instant::now();
    let published = match load {
        Load::PerSecond(rate) => at_rate(publishers, &context.clock, topics, rate, duration).await?,
        Load::Saturated => saturate(publishers, &context.clock, duration).await?,
    };
    let publishing = start.elapsed().as_secs_f64();
    let expected = published * concerned;
    let deliveries = readers.until_deliveries(expected, SILENCE).await;
    // Silence at the end is no time of the window, and costs the server nothing.
    let elapsed = if deliveries < expected { publishing } else { start.elapsed().as_secs_f64() };
    let server_cpu = cpu_of_tree(running.pid()) - before.0;
    Ok(Window {
        rate: published as f64 / publishing,
        seconds: elapsed,
        deliveries,
        lost: expected.saturating_sub(deliveries),
        bytes_per_delivery: readers.bytes() as f64 / deliveries as f64,
        events_per_read: deliveries as f64 / readers.reads() as f64,
        server_cpu,
        server_share: server_cpu / elapsed,
        readers_share: (readers.cpu() - before.1) / elapsed,
        generator_share: (cpu_of_self() - before.2) / elapsed,
        helper_share: (helper_cpu() - before.3) / elapsed,
        latencies: readers.take_latencies().await?,
    })
}
