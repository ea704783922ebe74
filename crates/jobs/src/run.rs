//! One run of a job, and what comes of it.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures::FutureExt;

use crate::context::JobContext;
use crate::error::{JobError, Verdict};
use crate::handler::AnyHandler;

/// Runs the job to its end, its panic, or its time. Whatever a handler does hurts nobody but its own job.
pub(crate) async fn run(handler: &dyn AnyHandler, job: &JobContext, payload: &str) -> Verdict {
    let limit = handler.timeout();
    let run = AssertUnwindSafe(handler.run(job, payload)).catch_unwind();
    let verdict = match tokio::time::timeout(limit, run).await {
        Ok(Ok(Ok(()))) => Verdict::Completed,
        Ok(Ok(Err(JobError(verdict)))) => verdict,
        Ok(Err(panic)) => failed(format!("panicked: {}", message_of(&*panic))),
        Err(_) => failed(format!("took longer than {limit:?}")),
    };
    if let Verdict::Failed { message, .. } = &verdict {
        tracing::warn!(error = %message, last = job.is_last_attempt(), "the attempt failed");
    }
    verdict
}

const fn failed(message: String) -> Verdict {
    Verdict::Failed { message, after: None }
}

fn message_of(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("with no message")
}
