//! What workers tell of: runs of jobs that were enqueued in a trace.

use tidewatch_events::trace::TraceContext;
use tidewatch_jobs::{Run, RunTrace, Tracer};

use super::outbox::SYSTEM;
use super::{Span, SpanKind, Traces};

impl Tracer for Traces {
    fn run(&self, run: &Run<'_>) -> Option<Box<dyn RunTrace>> {
        let parent = TraceContext::recorded(Some(run.traceparent));
        let mut span = self.child(parent, SpanKind::Consumer, format!("process {}", run.kind))?;
        span.set("messaging.system", SYSTEM)
            .set("messaging.operation.name", "process")
            .set("messaging.operation.type", "process")
            .set("messaging.destination.name", run.kind)
            .set("messaging.message.id", run.id.to_string())
            .set("tidewatch.job.attempt", i64::from(run.attempt));
        Some(Box::new(span))
    }
}

impl RunTrace for Span {
    fn traceparent(&self) -> String {
        self.context().to_string()
    }

    fn failed(&mut self, message: &str) {
        self.fail(message);
    }
}
