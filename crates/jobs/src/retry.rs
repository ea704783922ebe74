//! When a failed job is tried again.

use std::time::Duration;

/// Waits longer after each failure: `unit × attempt⁴`, give or take `jitter`, and at most `longest`.
///
/// By default the 1st retry comes after 1 s, the 2nd after 16 s, the 3rd after 81 s, the 10th after 2 h 47 min
/// and the 24th after 3 days and 20 h, each a tenth sooner or later, so that jobs that failed together do not
/// come back together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryPolicy {
    /// The wait after the first failure.
    pub unit: Duration,
    /// The share of the wait, 0 to 1, by which it is shortened or lengthened at random.
    pub jitter: f64,
    /// No wait is longer.
    pub longest: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { unit: Duration::from_secs(1), jitter: 0.1, longest: Duration::from_secs(7 * 24 * 60 * 60) }
    }
}

impl RetryPolicy {
    /// The wait behind the failure of `attempt`, which counts from 1. `random`, from 0 to 1, chooses within
    /// the jitter.
    #[must_use]
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let wait = self.unit.as_secs_f64() * f64::from(attempt).powi(4);
        let jitter = 1.0 + self.jitter * (2.0 * random - 1.0);
        Duration::try_from_secs_f64(wait * jitter).unwrap_or(self.longest).min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn waits_for_the_fourth_power_of_the_attempt() {
        let policy = RetryPolicy::default();
        let waits: Vec<u64> = [1, 2, 3, 10, 24].map(|attempt| policy.delay(attempt, 0.5).as_secs()).into();
        assert_eq!(waits, [1, 16, 81, 10_000, 331_776]);
    }

    #[test]
    fn gives_or_takes_the_jitter() {
        let policy = RetryPolicy { unit: 10 * SECOND, ..RetryPolicy::default() };
        assert_eq!(policy.delay(1, 0.0), 9 * SECOND);
        assert_eq!(policy.delay(1, 1.0), 11 * SECOND);
    }

    proptest! {
        #[test]
        fn never_waits_longer_than_the_longest(attempt: u32, random in 0.0..1.0, jitter in 0.0..1.0, unit: u64) {
            let policy = RetryPolicy { unit: Duration::from_secs(unit), jitter, longest: 60 * SECOND };
            prop_assert!(policy.delay(attempt, random) <= 60 * SECOND);
        }
    }
}
