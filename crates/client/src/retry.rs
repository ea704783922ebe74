//! Whether to try again, and when.

use std::time::Duration;

use crate::error::Error;

/// How long to wait after a failure: full jitter
/// ([why](https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/)), so that a thousand clients that
/// lost one service do not come back as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// The shortest wait.
    pub shortest: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Default for Backoff {
    /// 0.5 to 20 seconds, as the dashboard does it.
    fn default() -> Self {
        Self { shortest: Duration::from_millis(500), longest: Duration::from_secs(20) }
    }
}

impl Backoff {
    /// The wait after so many failures in a row: uniform between the shortest one and a bound that begins at twice that
    /// and doubles with each failure. `random` is in [0, 1).
    #[must_use]
    pub fn delay(&self, failures: u32, random: f64) -> Duration {
        let factor = 1_u32 << failures.clamp(1, 17);
        let bound = self.shortest.saturating_mul(factor).min(self.longest).max(self.shortest);
        self.shortest + (bound - self.shortest).mul_f64(random.clamp(0.0, 1.0))
    }
}

/// How a [`crate::Publisher`] tries again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Most attempts, the first one included; 1: no retry.
    pub attempts: u32,
    /// Waits between them.
    pub backoff: Backoff,
    /// A service that asks to be left alone for longer is not waited for: its answer is the error.
    pub longest_retry_after: Duration,
}

impl Default for RetryPolicy {
    /// Six attempts, 0.5 to 20 seconds between them, up to a minute where the service asks for that.
    fn default() -> Self {
        Self { attempts: 6, backoff: Backoff::default(), longest_retry_after: Duration::from_mins(1) }
    }
}

impl RetryPolicy {
    /// One attempt and no more.
    pub const NEVER: Self = Self {
        attempts: 1,
        backoff: Backoff { shortest: Duration::ZERO, longest: Duration::ZERO },
        longest_retry_after: Duration::ZERO,
    };

    /// How long to wait after this error, the `failures`th in a row; `None`: that was the last attempt.
    pub(crate) fn wait(&self, error: &Error, failures: u32, random: f64) -> Option<Duration> {
        if failures >= self.attempts || !is_transient(error) {
            return None;
        }
        let asked = error.retry_after().unwrap_or_default();
        (asked <= self.longest_retry_after).then(|| self.backoff.delay(failures, random).max(asked))
    }
}

/// Whether the same request may get through later. A 409 may when the service says when: then the first request with
/// this idempotency key is still under way. Any other conflict stays one.
fn is_transient(error: &Error) -> bool {
    match error {
        Error::Unreachable(_) => true,
        Error::Refused(problem) => match problem.status {
            408 | 429 | 502 | 503 | 504 => true,
            409 => problem.retry_after.is_some(),
            _ => false,
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Problem;
    use proptest::prelude::*;

    fn refused(status: u16, retry_after: Option<u64>) -> Error {
        let retry_after = retry_after.map(Duration::from_secs);
        Error::Refused(Box::new(Problem { retry_after, ..Problem::new(status, "") }))
    }

    #[test]
    fn the_bound_doubles_up_to_the_longest() {
        let backoff = Backoff::default();
        let bounds: Vec<u128> = (1..=7).map(|failures| backoff.delay(failures, 1.0).as_millis()).collect();
        assert_eq!(bounds, [1_000, 2_000, 4_000, 8_000, 16_000, 20_000, 20_000]);
        assert!((0..40).all(|failures| backoff.delay(failures, 0.0) == backoff.shortest));
    }

    #[test]
    fn tries_again_what_may_get_through() {
        let policy = RetryPolicy::default();
        let tried: Vec<u16> =
            (100..600).filter(|status| policy.wait(&refused(*status, None), 1, 0.0).is_some()).collect();
        assert_eq!(tried, [408, 429, 502, 503, 504]);
        assert!(policy.wait(&refused(409, Some(1)), 1, 0.0).is_some(), "still under way");
        assert!(policy.wait(&Error::Unreachable(String::new()), 1, 0.0).is_some());
        assert!(policy.wait(&Error::UnexpectedAnswer(String::new()), 1, 0.0).is_none());
    }

    #[test]
    fn stops_at_the_last_attempt() {
        let policy = RetryPolicy { attempts: 3, ..RetryPolicy::default() };
        let tries: Vec<bool> =
            (1..=4).map(|failures| policy.wait(&refused(503, None), failures, 0.0).is_some()).collect();
        assert_eq!(tries, [true, true, false, false]);
        assert!(RetryPolicy::NEVER.wait(&refused(503, None), 1, 0.0).is_none());
    }

    #[test]
    fn waits_as_long_as_it_is_asked_to_and_not_for_ever() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.wait(&refused(429, Some(7)), 1, 0.5), Some(Duration::from_secs(7)));
        assert_eq!(policy.wait(&refused(429, Some(0)), 1, 0.0), Some(Duration::from_millis(500)));
        assert_eq!(policy.wait(&refused(429, Some(61)), 1, 0.5), None);
    }

    proptest! {
        #[test]
        fn stays_within_its_bounds(failures: u32, random in 0.0f64..1.0) {
            let backoff = Backoff::default();
            prop_assert!((backoff.shortest..=backoff.longest).contains(&backoff.delay(failures, random)));
        }
    }
}
