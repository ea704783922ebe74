//! How many jobs a worker holds, and how far ahead it claims.
//!
//! Jobs that take no time would cost a round trip for every few places. So a worker claims ahead what it does in
//! the next moment, by what it did in the last one: nothing beyond its places where jobs take their time, hundreds
//! where they take none. It begins with nothing ahead, and comes to hundreds within a few claims.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::timeout;

/// What is done in so long is claimed ahead.
const AHEAD: Duration = Duration::from_millis(20);
/// Most jobs that are claimed ahead.
const MOST: usize = 500;
/// So long places are gathered before the next claim: claimed for each place that comes free, jobs that take
/// little time would cost a round trip each.
const GATHER: Duration = Duration::from_millis(5);

/// The jobs that a worker holds: those that run, and those that were claimed ahead.
#[derive(Debug, Default)]
pub(crate) struct Load(watch::Sender<Count>);

#[derive(Debug, Default)]
struct Count {
    held: usize,
    /// Runs that ended since the worker began.
    ran: u64,
}

impl Load {
    /// One more job is held, until what this gives is dropped.
    pub(crate) fn hold(self: &Arc<Self>) -> Held {
        self.0.send_modify(|count| count.held += 1);
        Held { load: Arc::clone(self), ran: false }
    }
}

/// One job that is held.
#[derive(Debug)]
pub(crate) struct Held {
    load: Arc<Load>,
    ran: bool,
}

impl Held {
    /// It has run, and not only been held.
    pub(crate) fn ran(mut self) {
        self.ran = true;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let ran = u64::from(self.ran);
        self.load.0.send_modify(|count| {
            count.held -= 1;
            count.ran += ran;
        });
    }
}

/// Says when to claim, and how many.
#[derive(Debug)]
pub(crate) struct Pace {
    load: Arc<Load>,
    places: usize,
    /// Most that are to be held now.
    target: usize,
    asked: Instant,
    ran: u64,
}

impl Pace {
    /// That of a worker with so many places.
    pub(crate) fn new(load: Arc<Load>, places: usize) -> Self {
        Self { load, places, target: places, asked: Instant::now(), ran: 0 }
    }

    /// How many jobs to claim. Waits until the worker has done half of what it may hold, or a moment, and then
    /// until one of its places is free.
    pub(crate) async fn room(&mut self) -> usize {
        let mut count = self.load.0.subscribe();
        loop {
            let half = self.target - (self.target / 2).max(1);
            let idle = half.max(self.places.saturating_sub(1));
            // Waiting ends by the count alone: its sender is held here.
            let _ = timeout(GATHER, count.wait_for(|count| count.held <= half)).await;
            let Ok((held, ran)) =
                count.wait_for(|count| count.held <= idle).await.map(|count| (count.held, count.ran))
            else {
                return 0;
            };
            self.target = self.places + self.ahead(ran, Instant::now());
            if held < self.target {
                return self.target - held;
            }
        }
    }

    /// How many jobs are done in the next moment, if it is like the time since this was asked last.
    fn ahead(&mut self, ran: u64, now: Instant) -> usize {
        let elapsed = now.duration_since(self.asked).as_micros().max(1);
        let done = u128::from(ran - self.ran);
        (self.asked, self.ran) = (now, ran);
        usize::try_from(done * AHEAD.as_micros() / elapsed).map_or(MOST, |ahead| ahead.min(MOST))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(places: usize) -> Pace {
        Pace::new(Arc::default(), places)
    }

    #[test]
    fn as_much_is_claimed_ahead_as_was_done_in_20_ms() {
        let mut pace = pace(4);
        let start = pace.asked;
        let after = |millis| start + Duration::from_millis(millis);
        assert_eq!(pace.ahead(4, after(1)), 80);
        assert_eq!(pace.ahead(8, after(101)), 0, "4 jobs in 100 ms");
        assert_eq!(pace.ahead(100_008, after(102)), MOST);
    }

    #[tokio::test]
    async fn there_is_room_for_as_many_as_there_are_places() {
        let mut pace = pace(4);
        assert_eq!(pace.room().await, 4);
        let held: Vec<_> = (0..3).map(|_| pace.load.hold()).collect();
        assert_eq!(pace.room().await, 1);
        drop(held);
        assert_eq!(pace.room().await, 4);
    }

    #[tokio::test]
    async fn jobs_that_were_given_back_do_not_count_as_done() {
        let mut pace = pace(4);
        (0..1_000).for_each(|_| drop(pace.load.hold()));
        assert_eq!(pace.room().await, 4);
        (0..1_000).for_each(|_| pace.load.hold().ran());
        assert!(pace.room().await > 4);
    }
}
