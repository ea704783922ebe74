//! What a handler says when its job is not done.

use std::error::Error;
use std::time::Duration;

/// Why a job is not done, and what is to become of it.
///
/// Any error makes one by `?`: the attempt has failed and the job is tried again, later each time. So this
/// type is no [`Error`] itself.
#[derive(Debug)]
pub struct JobError(pub(crate) Verdict);

/// What is to become of a job that ran.
#[derive(Debug)]
pub(crate) enum Verdict {
    Completed,
    /// Tried again after this long, or after what the policy says; dead where it was the last attempt.
    Failed {
        message: String,
        after: Option<Duration>,
    },
    Cancelled {
        reason: String,
    },
    /// Runs again after this long; the attempt does not count.
    Snoozed(Duration),
    /// Waits again at once; the attempt does not count.
    GivenBack,
}

impl JobError {
    /// The attempt has failed; the job is tried again as the workers' [`crate::RetryPolicy`] says.
    #[must_use]
    pub fn retry(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Verdict::Failed { message: with_sources(&*error.into()), after: None })
    }

    /// The attempt has failed; the job is tried again after `delay`, as a `Retry-After` may ask for.
    #[must_use]
    pub fn retry_after(delay: Duration, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(Verdict::Failed { message: with_sources(&*error.into()), after: Some(delay) })
    }

    /// The job can never be done: it is cancelled, and the reason kept.
    #[must_use]
    pub fn cancel(reason: impl Into<String>) -> Self {
        Self(Verdict::Cancelled { reason: reason.into() })
    }

    /// The job cannot be done yet: it runs again after `delay`, and this attempt does not count.
    #[must_use]
    pub const fn snooze(delay: Duration) -> Self {
        Self(Verdict::Snoozed(delay))
    }
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for JobError {
    fn from(error: E) -> Self {
        Self::retry(error)
    }
}

/// The error and what caused it, in one line.
fn with_sources(error: &(dyn Error + 'static)) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        // Some errors say what their source says.
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        source = cause.source();
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot send")]
    struct Send(#[source] std::num::ParseIntError);

    #[test]
    fn any_error_is_a_failed_attempt_with_its_causes() {
        let error = JobError::from(Send("x".parse::<i32>().expect_err("no number")));
        let Verdict::Failed { message, after: None } = error.0 else { panic!("{error:?}") };
        assert_eq!(message, "cannot send: invalid digit found in string");
    }
}
