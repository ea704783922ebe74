//! What came of an attempt, and what that means.

use std::fmt;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::guard::Refusal;

/// Most of an answer's body that is kept, in bytes.
pub const MAX_EXCERPT_BYTES: usize = 4 * 1024;
/// Longest wait that a receiver can ask for.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// One attempt to deliver a webhook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// From the first look at the address to the end of the answer.
    pub duration: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The receiver answered.
    Answered {
        /// With this status.
        status: u16,
        /// The beginning of the answer's body, as text.
        excerpt: String,
        /// When it wants to be asked again (429 and 503 only), [`MAX_RETRY_AFTER`] at most.
        retry_after: Option<Duration>,
    },
    /// There was no answer in time, or no connection.
    TimedOut,
    /// There was no connection, and why.
    ConnectFailed(String),
    /// The connection broke before there was an answer, and how.
    Broken(String),
    /// Nothing was sent: the address is not allowed.
    Refused(Refusal),
}

/// What is to become of a webhook behind an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It was taken.
    Delivered,
    /// It was not taken; it is sent again.
    Retry {
        /// Not before so long.
        after: Option<Duration>,
    },
    /// The receiver wants nothing any more (410): the endpoint is to be disabled.
    Gone,
    /// It can never be sent there.
    Refused,
}

impl Outcome {
    /// What it means
    /// ([specification](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#delivery-success-and-failure)):
    /// 2xx is taken, 410 is an end, and all else, redirects too, is tried again.
    #[must_use]
    pub const fn verdict(&self) -> Verdict {
        match self {
            Self::Answered { status: 200..=299, .. } => Verdict::Delivered,
            Self::Answered { status: 410, .. } => Verdict::Gone,
            Self::Answered { retry_after, .. } => Verdict::Retry { after: *retry_after },
            Self::TimedOut | Self::ConnectFailed(_) | Self::Broken(_) => Verdict::Retry { after: None },
            Self::Refused(_) => Verdict::Refused,
        }
    }

    /// The answer's status, where there was one.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Answered { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The beginning of the answer's body; empty where there was none.
    #[must_use]
    pub fn excerpt(&self) -> &str {
        match self {
            Self::Answered { excerpt, .. } => excerpt,
            _ => "",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answered { status, .. } => write!(f, "the receiver answered {status}"),
            Self::TimedOut => f.write_str("the receiver did not answer in time"),
            Self::ConnectFailed(reason) => write!(f, "no connection: {reason}"),
            Self::Broken(reason) => write!(f, "the connection broke: {reason}"),
            Self::Refused(refusal) => write!(f, "nothing was sent: the URL {refusal}"),
        }
    }
}

/// The wait that an answer of this status asks for: `Retry-After` in seconds or as a date
/// ([RFC 9110, section 10.2.3](https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3)).
pub(crate) fn retry_after(status: u16, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    if !matches!(status, 429 | 503) {
        return None;
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => httpdate::parse_http_date(text).ok()?.duration_since(now).unwrap_or_default(),
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16) -> Verdict {
        Outcome::Answered { status, excerpt: String::new(), retry_after: None }.verdict()
    }

    #[test]
    fn only_2xx_is_taken_and_only_410_is_an_end() {
        for status in [200, 201, 204, 299] {
            assert_eq!(answered(status), Verdict::Delivered, "{status}");
        }
        for status in [100, 199, 301, 302, 307, 400, 401, 404, 409, 411, 429, 500, 503] {
            assert_eq!(answered(status), Verdict::Retry { after: None }, "{status}");
        }
        assert_eq!(answered(410), Verdict::Gone);
        assert_eq!(Outcome::Refused(Refusal::Scheme).verdict(), Verdict::Refused);
        assert_eq!(Outcome::TimedOut.verdict(), Verdict::Retry { after: None });
    }

    #[test]
    fn retry_after_counts_with_429_and_503_and_has_an_end() {
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 10:00:00 GMT").expect("a date");
        let of = |status, text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().expect("a value"))]);
            retry_after(status, &headers, now).map(|wait| wait.as_secs())
        };
        assert_eq!(of(429, "120"), Some(120));
        assert_eq!(of(503, "Sat, 21 Nov 2026 10:05:00 GMT"), Some(300));
        assert_eq!(of(503, "Sat, 21 Nov 2026 09:00:00 GMT"), Some(0), "a time that has passed");
        assert_eq!(of(503, "99999999999"), Some(24 * 60 * 60));
        for (status, text) in [(500, "120"), (200, "120"), (429, "soon"), (429, "-1"), (429, "")] {
            assert_eq!(of(status, text), None, "{status} {text:?}");
        }
    }
}
