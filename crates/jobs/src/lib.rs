//! A job queue on Postgres.
//!
//! Business code changes state and [`enqueue`]s what is to be done about it in the same transaction. Any
//! number of [`Workers`] claim what waits, each job under a lease, and run its [`Handler`] at least once.
//!
//! ```text
//!  business transaction          Workers of a queue, in any process
//!  ┌──────────────────┐ commit  ┌──────────────────────────────────────────────────────────────┐
//!  │ change a row     │ ──────▶ │ claim many ──▶ run each in a task ──▶ settle many in one     │
//!  │ enqueue(job)     │ wake-up │ (skip locked)   (panics are caught)    statement, each fenced │
//!  └──────────────────┘ (hint)  │                 heartbeats extend      by its lease's number  │
//!                               │                 the leases                                   │
//!                               └──────────────────────────────────────────────────────────────┘
//! ```
//!
//! Wake-ups (`NOTIFY`) are hints: polling alone finds everything, half a second later. The business
//! transaction itself never notifies, for `NOTIFY` takes a global lock until commit; [`Waker`] does it on a
//! connection of its own, coalesced.
//!
//! The crate knows [`tidewatch_events`] and Postgres, no HTTP. Its table is made by the migrations
//! `0011_jobs.sql` and `0015_job_names.sql`.

mod claim;
mod context;
mod due;
mod enqueue;
mod error;
mod handler;
mod job;
mod keeper;
mod list;
mod manage;
mod manage_many;
mod new_job;
mod options;
mod pace;
pub mod retention;
mod retry;
mod roster;
mod row;
mod run;
mod settle;
mod starter;
mod text;
mod trace;
mod wake;
mod workers;

pub use context::{CompleteError, JobContext};
pub use enqueue::{EnqueueError, Enqueued, enqueue, enqueue_all};
pub use error::JobError;
pub use handler::{Handler, Registry};
pub use job::Job;
pub use list::{COUNTED, JobCount, JobFilter, counts, counts_of, find, list};
pub use manage::{RetryError, cancel, retry};
pub use manage_many::{CancelledJobs, MOVED, cancel_all, count_cancelled, count_retried, retry_all};
pub use new_job::{DEFAULT_MAX_ATTEMPTS, DEFAULT_QUEUE, JobPayload, NewJob};
pub use options::WorkerOptions;
pub use retry::RetryPolicy;
pub use tidewatch_events::id::JobId;
pub use tidewatch_events::job::{FailedAttempt, JobState, ParseJobStateError, Progress};
pub use trace::{Run, RunTrace, Tracer};
pub use wake::{JOBS_CHANNEL, Waker};
pub use workers::Workers;
