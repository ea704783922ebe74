//! How busy connections are, by what the hub has given them between two looks.

use std::collections::HashMap;

use tidewatch_events::id::ConnectionId;
use tidewatch_hub::{Hub, Load};
use time::OffsetDateTime;
use tokio::time::Instant;

use super::Subscriptions;
use crate::db::connections::ConnectionLoad;

/// Over this many seconds a rate forgets what was.
const MEMORY_SECONDS: f64 = 5.0;

/// What was seen of each connection last.
#[derive(Debug, Default)]
pub(super) struct Samples(HashMap<ConnectionId, Sample>);

#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Instant,
    given: u64,
    rate: f64,
    told: ConnectionLoad,
}

impl Samples {
    /// Looks at these connections, and forgets all others. What is told are those of which something else
    /// is to be said than last time.
    pub(super) fn take(&mut self, hub: &Hub, connections: &[Subscriptions]) -> Vec<ConnectionLoad> {
        let now = Instant::now();
        let mut before = std::mem::take(&mut self.0);
        let mut loads = Vec::new();
        for subscriptions in connections {
            let id = subscriptions.connection;
            let load = sum(hub, subscriptions);
            let last = before.remove(&id);
            let rate = match last {
                Some(last) => moving_rate(&last, load.given, now),
                None => mean_rate(load.given, OffsetDateTime::now_utc() - subscriptions.since),
            };
            let told = ConnectionLoad {
                id: id.uuid(),
                // To the tenth: what nobody would see is not written.
                rate: ((rate * 10.0).round() / 10.0) as f32,
                waiting: i64::try_from(load.waiting).unwrap_or(i64::MAX),
            };
            if last.is_none_or(|last| last.told != told) {
                loads.push(told);
            }
            self.0.insert(id, Sample { at: now, given: load.given, rate, told });
        }
        loads
    }
}

/// Of all its subscriptions together.
fn sum(hub: &Hub, subscriptions: &Subscriptions) -> Load {
    let ids = std::iter::once(subscriptions.connection).chain(subscriptions.others.iter().copied());
    ids.filter_map(|id| hub.load(id)).fold(Load::default(), |sum, load| Load {
        given: sum.given + load.given,
        waiting: sum.waiting + load.waiting,
    })
}

/// An exponentially weighted mean: the younger a second, the more it counts.
fn moving_rate(last: &Sample, given: u64, now: Instant) -> f64 {
    let seconds = (now - last.at).as_secs_f64();
    if seconds <= 0.0 {
        return last.rate;
    }
    // A channel that was left takes what it was given along.
    let lately = given.saturating_sub(last.given) as f64 / seconds;
    let weight = 1.0 - (-seconds / MEMORY_SECONDS).exp();
    last.rate + weight * (lately - last.rate)
}

/// Of the whole time since it connected.
fn mean_rate(given: u64, age: time::Duration) -> f64 {
    given as f64 / age.as_seconds_f64().max(1.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use uuid::Uuid;

    use super::*;

    fn sample(given: u64, rate: f64) -> Sample {
        let told = ConnectionLoad { id: Uuid::nil(), rate: 0.0, waiting: 0 };
        Sample { at: Instant::now(), given, rate, told }
    }

    #[test]
    fn a_steady_rate_is_found_and_an_end_is_forgotten() {
        let mut last = sample(0, 0.0);
        for second in 1..=30 {
            let now = last.at + Duration::from_secs(1);
            last = Sample { at: now, given: second * 20, rate: moving_rate(&last, second * 20, now), ..last };
        }
        assert!((last.rate - 20.0).abs() < 0.1, "{}", last.rate);
        let after = moving_rate(&last, last.given, last.at + Duration::from_secs(30));
        assert!(after < 0.1, "{after}");
    }

    #[test]
    fn a_channel_that_was_left_is_no_negative_rate() {
        let last = sample(1_000, 4.0);
        let rate = moving_rate(&last, 10, last.at + Duration::from_secs(1));
        assert!((0.0..4.0).contains(&rate), "{rate}");
    }

    #[test]
    fn the_first_look_tells_the_mean_since_it_connected() {
        assert!((mean_rate(600, time::Duration::minutes(1)) - 10.0).abs() < 0.001);
        assert!((mean_rate(3, time::Duration::milliseconds(10)) - 3.0).abs() < 0.001);
    }
}
