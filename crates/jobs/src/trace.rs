//! Who follows traces is told of runs. Where nobody does, a job keeps its trace all the same and hands it on.

use std::fmt::Debug;

/// Follows traces.
pub trait Tracer: Debug + Send + Sync + 'static {
    /// A run begins of a job that was enqueued in this trace; `None` where the trace is not recorded.
    fn run(&self, run: &Run<'_>) -> Option<Box<dyn RunTrace>>;
}

/// A run of a job.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Which job.
    pub id: tidewatch_events::id::JobId,
    /// What kind of job.
    pub kind: &'a str,
    /// Which attempt, from 1.
    pub attempt: u32,
    /// Where in its trace it was enqueued.
    pub traceparent: &'a str,
}

/// A run that is followed, until it is dropped.
pub trait RunTrace: Debug + Send + Sync {
    /// Where in its trace the run is: what its handler goes on with.
    fn traceparent(&self) -> String;

    /// It has failed.
    fn failed(&mut self, message: &str);
}
