//! Publishing at a rate, or as fast as it goes with so many in flight.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::event::BenchEvent;

/// Publishers that share a rate: as many as can be late without delaying the next.
pub const SHARING: usize = 8;
/// Publishes in flight at saturation.
pub const IN_FLIGHT: usize = 32;

/// Publishes to one system, one event after the other.
#[async_trait]
pub trait Publisher: Send {
    /// Publishes one event; it notes the time of its sending (see [`Clock::sent`]).
    async fn publish(&mut self, event: BenchEvent) -> anyhow::Result<()>;
}

/// Publishers of one system.
pub type Publishers = Vec<Box<dyn Publisher>>;

/// Whom events concern.
#[derive(Debug, Clone, Copy)]
pub enum Topics {
    /// All readers.
    All,
    /// One of so many topics after the other.
    RoundRobin(u32),
}

impl Topics {
    fn of(self, turn: u64) -> Option<u32> {
        match self {
            Self::All => None,
            Self::RoundRobin(topics) => u32::try_from(turn % u64::from(topics)).ok(),
        }
    }
}

/// Publishes `per_second` events a second, evenly, and says how many there were.
///
/// # Errors
/// One could not be published.
pub async fn at_rate(
    publishers: &mut Publishers,
    clock: &Arc<Clock>,
    topics: Topics,
    per_second: f64,
    duration: Duration,
) -> anyhow::Result<u64> {
    let total = (per_second * duration.as_secs_f64()).round() as u64;
    let start = Instant::now();
    let step = publishers.len() as u64;
    try_join_all(publishers.iter_mut().zip(0..).map(async |(publisher, first): (_, u64)| {
        let mut turn = first;
        while turn < total {
            sleep_until(start + Duration::from_secs_f64(turn as f64 / per_second)).await;
            publisher.publish(BenchEvent { number: clock.next_number(), topic: topics.of(turn) }).await?;
            turn += step;
        }
        anyhow::Ok(())
    }))
    .await?;
    // The last event's time is part of the window.
    sleep_until(start + duration).await;
    Ok(total)
}

/// Publishes one after the other with every publisher at once, and says how many there were.
///
/// # Errors
/// One could not be published.
pub async fn saturate(
    publishers: &mut Publishers,
    clock: &Arc<Clock>,
    duration: Duration,
) -> anyhow::Result<u64> {
    let end = Instant::now() + duration;
    let counts = try_join_all(publishers.iter_mut().map(async |publisher| {
        let mut count = 0;
        while Instant::now() < end {
            publisher.publish(BenchEvent { number: clock.next_number(), topic: None }).await?;
            count += 1;
        }
        anyhow::Ok(count)
    }))
    .await?;
    Ok(counts.into_iter().sum())
}

/// Publishes so many events as fast as it goes.
///
/// # Errors
/// One could not be published.
pub async fn burst(
    publishers: &mut Publishers,
    clock: &Arc<Clock>,
    topics: Topics,
    count: u64,
) -> anyhow::Result<()> {
    let step = publishers.len();
    try_join_all(publishers.iter_mut().zip(0..).map(async |(publisher, first): (_, u64)| {
        for turn in (first..count).step_by(step) {
            publisher.publish(BenchEvent { number: clock.next_number(), topic: topics.of(turn) }).await?;
        }
        anyhow::Ok(())
    }))
    .await?;
    Ok(())
}
