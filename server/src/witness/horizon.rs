//! How far back the log goes. What lies beyond it cannot be proven, and is no difference.

use tidewatch_events::Timestamp;

/// Records' times come from the servers' clocks, an event's day from that of Postgres, when its transaction began:
/// between the two lies no more than this.
const CLOCKS_DIFFER_BY_MS: i64 = 60 * 60 * 1000;

/// How far back the log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// Events at or above it are kept; 1: all are.
    pub oldest_position: i64,
    /// When the oldest day begins that is kept.
    pub oldest_day: Option<Timestamp>,
}

impl Horizon {
    /// Of a project of which nothing was ever dropped.
    pub const ALL: Self = Self { oldest_position: 1, oldest_day: None };

    /// Whether retention can have dropped an event that happened then.
    #[must_use]
    pub fn has_dropped(&self, at: Timestamp) -> bool {
        self.oldest_position > 1
            && self.oldest_day.is_none_or(|day| at.millis_since(day) < CLOCKS_DIFFER_BY_MS)
    }

    /// Whether an event at this position is kept by chance alone: positions cross midnight, so that a few below
    /// the oldest one can stand in the next day, with holes between them.
    #[must_use]
    pub fn is_below(&self, position: Option<i64>) -> bool {
        position.is_some_and(|position| position < self.oldest_position)
    }
}
