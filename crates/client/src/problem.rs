//! Problem details for HTTP APIs ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)), as the service answers them.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};

/// What the `type` of the service's own problems begins with.
const URN: &str = "urn:tidewatch:problem:";
/// Most characters that are taken from an answer that is no problem: it may be a whole page.
const MAX_DETAIL: usize = 300;

/// Why the service refused a request.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub struct Problem {
    /// What kind of problem: a URN that stays the same, for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong in this very case.
    pub detail: String,
    /// What is wrong where, when several things are.
    pub errors: Vec<Value>,
    /// What this kind of problem has beside that, such as `permission` or `limit`.
    #[serde(flatten)]
    pub extensions: Map<String, Value>,
    /// How long the service asked to be left alone.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// A problem without a kind: what an answer comes to that is none of the service's.
    #[must_use]
    pub fn new(status: u16, detail: &str) -> Self {
        Self { status, detail: detail.to_owned(), ..Self::default() }
    }

    /// Whether it is of this kind: `forbidden` for `urn:tidewatch:problem:forbidden`.
    #[must_use]
    pub fn is(&self, kind: &str) -> bool {
        self.kind.strip_prefix(URN) == Some(kind)
    }

    /// Reads an answer. A proxy's answer is no problem+json; then its text has to do.
    pub(crate) fn read(status: u16, body: &[u8], retry_after: Option<Duration>) -> Self {
        let problem = serde_json::from_slice(body).unwrap_or_else(|_| {
            let text = String::from_utf8_lossy(body);
            let short: String = text.trim().chars().take(MAX_DETAIL).collect();
            Self::new(status, &short)
        });
        // The status line counts: a body can say anything.
        Self { status, retry_after, ..problem }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        for part in [&self.title, &self.detail].into_iter().filter(|part| !part.is_empty()) {
            write!(f, ": {part}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_problem_with_what_it_has_beside() {
        let body =
            br#"{"type":"urn:tidewatch:problem:forbidden","title":"A permission is missing","status":403,
            "detail":"the permission events.publish is missing","permission":"events.publish"}"#;
        let problem = Problem::read(403, body, None);
        assert!(problem.is("forbidden"));
        assert_eq!(problem.extensions["permission"], "events.publish");
        assert_eq!(
            problem.to_string(),
            "403: A permission is missing: the permission events.publish is missing"
        );
    }

    #[test]
    fn an_answer_of_a_proxy_is_told_in_short() {
        let problem = Problem::read(502, "<html>no backend</html>".repeat(100).as_bytes(), None);
        assert_eq!((problem.status, problem.kind.as_str()), (502, ""));
        assert_eq!(problem.detail.len(), MAX_DETAIL);
        assert_eq!(Problem::read(504, b"", None).to_string(), "504");
        assert_eq!(Problem::read(504, b"[1]", None).detail, "[1]");
    }

    #[test]
    fn the_status_line_counts() {
        assert_eq!(Problem::read(503, br#"{"status":200}"#, None).status, 503);
    }
}
