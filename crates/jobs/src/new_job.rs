//! A job before it is enqueued: what is to be done, and when.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tidewatch_events::{ProjectId, Timestamp};

/// Attempts that a job has unless it says otherwise: with the default [`crate::RetryPolicy`] the last one
/// comes about three weeks after the first.
pub const DEFAULT_MAX_ATTEMPTS: u16 = 25;
/// The queue of jobs that name none.
pub const DEFAULT_QUEUE: &str = "default";

/// What a job carries to its handler. The type says which kind of job it is, so that who enqueues and who
/// handles cannot disagree.
pub trait JobPayload: Serialize + DeserializeOwned + Send + 'static {
    /// The kind, of the form `key.revoke`. It stands in the database: a rename strands what waits.
    const KIND: &'static str;
}

/// A job before it is enqueued; see [`crate::enqueue`].
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    pub(crate) kind: String,
    pub(crate) payload: Value,
    pub(crate) project: Option<ProjectId>,
    pub(crate) queue: String,
    pub(crate) unique_key: Option<String>,
    pub(crate) priority: i16,
    pub(crate) due: Due,
    pub(crate) max_attempts: u16,
    pub(crate) traceparent: Option<String>,
}

/// From when on a job may run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Due {
    At(Timestamp),
    In(Duration),
}

impl NewJob {
    /// A job with this payload: of the system, in the default queue, due at once.
    ///
    /// # Errors
    /// The payload cannot be written as JSON.
    pub fn of<P: JobPayload>(payload: &P) -> Result<Self, serde_json::Error> {
        Ok(Self {
            kind: P::KIND.to_owned(),
            payload: serde_json::to_value(payload)?,
            project: None,
            queue: DEFAULT_QUEUE.to_owned(),
            unique_key: None,
            priority: 0,
            due: Due::In(Duration::ZERO),
            max_attempts: DEFAULT_MAX_ATTEMPTS,
            traceparent: None,
        })
    }

    /// On behalf of a project. Only such a job can be enqueued by a request.
    #[must_use]
    pub const fn in_project(mut self, project: ProjectId) -> Self {
        self.project = Some(project);
        self
    }

    /// In another queue than the default one, to be worked on beside it.
    #[must_use]
    pub fn in_queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = queue.into();
        self
    }

    /// Not beside an unfinished job of the same key, kind, queue and project: enqueueing then finds that
    /// one. It may be running and have read what it works on already, so a key should name the work that
    /// is done twice in vain, such as `revoke:<id>`, rather than a thing that changes meanwhile.
    #[must_use]
    pub fn unique(mut self, key: impl Into<String>) -> Self {
        self.unique_key = Some(key.into());
        self
    }

    /// Before all that wait in its queue with a lower priority. 0 is the default.
    #[must_use]
    pub const fn with_priority(mut self, priority: i16) -> Self {
        self.priority = priority;
        self
    }

    /// Not before `time`, by the clock of Postgres.
    #[must_use]
    pub const fn at(mut self, time: Timestamp) -> Self {
        self.due = Due::At(time);
        self
    }

    /// Not before `delay` has passed.
    #[must_use]
    pub const fn after(mut self, delay: Duration) -> Self {
        self.due = Due::In(delay);
        self
    }

    /// In the trace of this `traceparent`, where there is one ([W3C Trace Context](https://www.w3.org/TR/trace-context/)).
    #[must_use]
    pub fn in_trace(mut self, traceparent: Option<String>) -> Self {
        self.traceparent = traceparent;
        self
    }

    /// Dead after so many attempts, 1 to 1,000, in place of [`DEFAULT_MAX_ATTEMPTS`].
    #[must_use]
    pub const fn with_max_attempts(mut self, attempts: u16) -> Self {
        self.max_attempts = attempts;
        self
    }
}
