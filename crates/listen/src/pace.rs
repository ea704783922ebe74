//! How often others are told: at once as long as that is seldom, and no more than so often.

use std::time::Duration;

use tokio::time::Instant;

/// One notification in so much time, over time: 200 a second. Each is a transaction that Postgres tells every
/// listener of; what is said meanwhile is told by the next.
const INTERVAL: Duration = Duration::from_millis(5);
/// So many at once after a rest, so that events that do not come evenly wait for nothing.
const BURST: u32 = 10;

/// A token bucket (the generic cell rate algorithm): it remembers until when the notifications told so far would
/// have taken, had they come evenly.
#[derive(Debug, Default)]
pub(crate) struct Pace(Option<Instant>);

impl Pace {
    /// One is told at `now`, or as much later as this says.
    pub(crate) fn take(&mut self, now: Instant) -> Duration {
        let due = self.0.map_or(now, |due| due.max(now));
        self.0 = Some(due + INTERVAL);
        (due - now).saturating_sub(INTERVAL * (BURST - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(start: Instant, millis: u64) -> Instant {
        start + Duration::from_millis(millis)
    }

    #[test]
    fn what_comes_seldom_is_told_at_once() {
        let start = Instant::now();
        let mut pace = Pace::default();
        // 167 a second, in pairs.
        for pair in 0..1_000 {
            for _ in 0..2 {
                assert_eq!(pace.take(after(start, pair * 12)), Duration::ZERO);
            }
        }
    }

    #[test]
    fn a_flood_is_told_evenly() {
        let start = Instant::now();
        let mut pace = Pace::default();
        let mut now = start;
        for _ in 0..1_000 {
            now += pace.take(now);
        }
        let took = (now - start).as_millis();
        assert!((4_900..=5_000).contains(&took), "{took} ms for 1,000");
    }
}
