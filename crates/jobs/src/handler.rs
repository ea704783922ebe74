//! Handlers: who does the jobs of a kind.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use crate::context::JobContext;
use crate::error::JobError;
use crate::new_job::JobPayload;
use crate::trace::Tracer;

/// Does the jobs of one kind.
///
/// A job runs at least once: a worker can be lost between the work and the word that it is done. So a
/// handler does no harm the second time, or ends in one transaction with [`JobContext::complete_in`].
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use tidewatch_jobs::{Handler, JobContext, JobError, JobPayload};
/// #[derive(Serialize, Deserialize)]
/// struct RevokeKey {
///     key: String,
/// }
///
/// impl JobPayload for RevokeKey {
///     const KIND: &'static str = "key.revoke";
/// }
///
/// struct Revoker;
///
/// impl Handler for Revoker {
///     type Payload = RevokeKey;
///
///     async fn run(&self, job: &JobContext, payload: RevokeKey) -> Result<(), JobError> {
///         let number: u32 = payload.key.parse()?; // an error is a failed attempt
///         job.progress(1, 2, "found");
///         if number == 0 {
///             return Err(JobError::cancel("there is no such key"));
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// What its jobs carry, and so their kind.
    type Payload: JobPayload;

    /// Does the job. A panic is a failed attempt like an error.
    fn run(
        &self,
        job: &JobContext,
        payload: Self::Payload,
    ) -> impl Future<Output = Result<(), JobError>> + Send;

    /// After so long the run is dropped where it stands, and the attempt has failed. 15 minutes unless the
    /// handler says otherwise: without an end, what hangs would hold its place for good.
    fn timeout(&self) -> Duration {
        Duration::from_secs(15 * 60)
    }
}

/// The handlers of a worker, by kind. Jobs of other kinds are left for other workers.
#[derive(Default)]
pub struct Registry {
    handlers: HashMap<&'static str, Arc<dyn AnyHandler>>,
    pub(crate) tracer: Option<Arc<dyn Tracer>>,
}

impl Registry {
    /// No handlers yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And this one.
    ///
    /// # Panics
    /// There is a handler of its kind already.
    #[must_use]
    pub fn with<H: Handler>(mut self, handler: H) -> Self {
        let kind = H::Payload::KIND;
        let before = self.handlers.insert(kind, Arc::new(Typed(handler)));
        assert!(before.is_none(), "two handlers for jobs of kind {kind}");
        self
    }

    /// Followed by this one.
    #[must_use]
    pub fn traced_by(mut self, tracer: Option<Arc<dyn Tracer>>) -> Self {
        self.tracer = tracer;
        self
    }

    pub(crate) fn kinds(&self) -> Vec<String> {
        self.handlers.keys().map(|kind| (*kind).to_owned()).collect()
    }

    pub(crate) fn find(&self, kind: &str) -> Option<Arc<dyn AnyHandler>> {
        self.handlers.get(kind).cloned()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.handlers.keys()).finish()
    }
}

/// A handler of whatever payload, which it is given as JSON.
pub(crate) trait AnyHandler: Send + Sync {
    fn run<'a>(&'a self, job: &'a JobContext, payload: &'a str) -> BoxFuture<'a, Result<(), JobError>>;

    fn timeout(&self) -> Duration;
}

struct Typed<H>(H);

impl<H: Handler> AnyHandler for Typed<H> {
    fn run<'a>(&'a self, job: &'a JobContext, payload: &'a str) -> BoxFuture<'a, Result<(), JobError>> {
        Box::pin(async move {
            // Tried again like any failure: a newer program may read what this one cannot.
            let payload = serde_json::from_str(payload).map_err(|error| {
                JobError::retry(format!("the payload is none of {}: {error}", H::Payload::KIND))
            })?;
            self.0.run(job, payload).await
        })
    }

    fn timeout(&self) -> Duration {
        self.0.timeout()
    }
}
