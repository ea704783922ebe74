//! One clock for senders and readers, which are one process: the time of each event by its number.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::event::FIRST_NUMBER;

/// Events whose times are remembered; older ones are overwritten. A power of two.
const REMEMBERED: usize = 1 << 20;

/// Numbers events and remembers when each was sent.
///
/// The time itself does not travel: for "commit → received" it is known only after the payload was
/// written.
#[derive(Debug)]
pub struct Clock {
    started: Instant,
    next: AtomicU64,
    sent: Box<[AtomicU64]>,
}

impl Clock {
    /// A clock that begins now.
    #[must_use]
    pub fn start() -> Self {
        let sent = std::iter::repeat_with(AtomicU64::default).take(REMEMBERED).collect();
        Self { started: Instant::now(), next: AtomicU64::new(FIRST_NUMBER), sent }
    }

    /// Nanoseconds since the start, by CLOCK_MONOTONIC.
    #[must_use]
    pub fn now(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The number of the next event.
    pub fn next_number(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Notes that event `number` is sent now; the last note counts.
    pub fn sent(&self, number: u64) {
        self.place(number).store(self.now(), Ordering::Relaxed);
    }

    /// How long ago, at `now`, event `number` was sent.
    #[must_use]
    pub fn age(&self, number: u64, now: u64) -> Duration {
        Duration::from_nanos(now.saturating_sub(self.place(number).load(Ordering::Relaxed)))
    }

    fn place(&self, number: u64) -> &AtomicU64 {
        // A remainder is always within the table.
        &self.sent[usize::try_from(number).unwrap_or_default() % REMEMBERED]
    }
}
