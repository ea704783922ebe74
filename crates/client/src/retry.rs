//! Whether to try again, and when.

use std::time::Duration;

use tidewatch_events::Backoff;

use crate::error::Error;

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

    fn refused(status: u16, retry_after: Option<u64>) -> Error {
        let retry_after = retry_after.map(Duration::from_secs);
        Error::Refused(Box::new(Problem { retry_after, ..Problem::new(status, "") }))
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
}
