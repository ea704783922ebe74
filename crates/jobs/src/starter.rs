//! Starting: the jobs that a worker claimed, each when one of its places is free, in the order in which they were.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::claim::Claimed;
use crate::context::{JobContext, Signs};
use crate::error::Verdict;
use crate::handler::Registry;
use crate::pace::Held;
use crate::retry::RetryPolicy;
use crate::roster::Roster;
use crate::run::run;
use crate::settle::Settled;
use crate::trace::Run;

/// So long a job may wait for a place. Then those that run take longer than was to be expected, and it is given
/// back: another worker may be free.
const PATIENCE: Duration = Duration::from_millis(100);

/// A job that was claimed and waits for a place.
#[derive(Debug)]
pub(crate) struct Waiting {
    job: Claimed,
    signs: Arc<Signs>,
    held: Held,
    since: Instant,
}

impl Waiting {
    /// It waits from now on.
    pub(crate) fn new(job: Claimed, held: Held) -> Self {
        Self { job, signs: Arc::default(), held, since: Instant::now() }
    }
}

/// Starts what was claimed.
#[derive(Debug)]
pub(crate) struct Starter {
    registry: Registry,
    roster: Arc<Roster>,
    places: Arc<Semaphore>,
    policy: RetryPolicy,
    patience: Duration,
    /// The runs.
    pub(crate) crew: TaskTracker,
}

impl Starter {
    /// For so many runs at one time, under leases of this length.
    pub(crate) fn new(
        registry: Registry,
        roster: Arc<Roster>,
        places: usize,
        policy: RetryPolicy,
        lease: Duration,
    ) -> Self {
        Self {
            registry,
            roster,
            places: Arc::new(Semaphore::new(places)),
            policy,
            // What starts is to have most of its lease before it.
            patience: PATIENCE.min(lease / 2),
            crew: TaskTracker::new(),
        }
    }

    /// Lets a job wait in this line.
    pub(crate) fn enter(&self, waiting: Waiting, line: &mpsc::UnboundedSender<Waiting>) {
        self.roster.enter(waiting.job.lease, Arc::clone(&waiting.signs));
        // Refused only when the worker ends without order; then its leases run out.
        let _ = line.send(waiting);
    }

    /// Starts what is in the line, until its other end is dropped. Gives back what waits for too long, what is not
    /// to be done any more, and from `shutdown` on all that finds no free place.
    pub(crate) async fn run(
        &self,
        mut line: mpsc::UnboundedReceiver<Waiting>,
        outbox: mpsc::Sender<Settled>,
        shutdown: &CancellationToken,
    ) {
        while let Some(next) = line.recv().await {
            let place = tokio::select! {
                biased;
                place = Arc::clone(&self.places).acquire_owned() => place.ok(),
                () = shutdown.cancelled() => None,
                () = sleep_until(next.since + self.patience) => None,
            };
            match place {
                Some(place) if !next.signs.cancelled.is_cancelled() => {
                    self.start(next, place, outbox.clone())
                }
                _ => {
                    let back = Settled::of(next.job.lease, 0, 1, Verdict::GivenBack, &self.policy);
                    let _ = outbox.send(back).await;
                }
            }
        }
    }

    fn start(&self, waiting: Waiting, place: OwnedSemaphorePermit, outbox: mpsc::Sender<Settled>) {
        let Waiting { job, signs, held, .. } = waiting;
        let lease = job.lease;
        let Some(handler) = self.registry.find(&job.kind) else {
            tracing::error!(job.id = %lease.job, job.kind, "claimed what cannot be run; its lease will run out");
            return;
        };
        let mut trace = self.registry.tracer.as_ref().zip(job.traceparent.as_deref()).and_then(
            |(tracer, traceparent)| {
                tracer.run(&Run { id: lease.job, kind: &job.kind, attempt: job.attempt, traceparent })
            },
        );
        let traceparent = trace.as_ref().map(|trace| trace.traceparent()).or_else(|| job.traceparent.clone());
        let context = JobContext::new(&job, traceparent, signs);
        let policy = self.policy;
        let span = tracing::info_span!("jobs.run", job.id = %lease.job, job.kind, job.attempt);
        let task = async move {
            let verdict = run(&*handler, &context, &job.payload).await;
            if let (Some(trace), Verdict::Failed { message, .. }) = (&mut trace, &verdict) {
                trace.failed(message);
            }
            drop(trace);
            let settled = Settled::of(lease, job.attempt, job.max_attempts, verdict, &policy);
            // Refused only when the keeper has gone: then others find the job when the lease runs out.
            let _ = outbox.send(settled).await;
            held.ran();
            drop(place);
        };
        self.roster.start(lease, || self.crew.spawn(task.instrument(span)).abort_handle());
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};
    use tidewatch_events::Timestamp;
    use tidewatch_events::id::JobId;
    use uuid::Uuid;

    use super::*;
    use crate::claim::Lease;
    use crate::error::JobError;
    use crate::handler::Handler;
    use crate::new_job::JobPayload;
    use crate::pace::Load;

    #[derive(Serialize, Deserialize)]
    struct Chore;

    impl JobPayload for Chore {
        const KIND: &'static str = "test.chore";
    }

    struct Nothing;

    impl Handler for Nothing {
        type Payload = Chore;

        async fn run(&self, _: &JobContext, _: Chore) -> Result<(), JobError> {
            Ok(())
        }
    }

    fn claimed(number: i64) -> Waiting {
        let job = Claimed {
            lease: Lease { job: JobId::from_uuid(Uuid::now_v7()), number },
            project: None,
            kind: Chore::KIND.to_owned(),
            payload: "null".to_owned(),
            attempt: 1,
            max_attempts: 25,
            enqueued_at: Timestamp::from_unix_millis(0).expect("a time"),
            traceparent: None,
        };
        Waiting::new(job, Arc::<Load>::default().hold())
    }

    fn starter() -> Starter {
        let registry = Registry::new().with(Nothing);
        Starter::new(registry, Arc::default(), 1, RetryPolicy::default(), Duration::from_secs(30))
    }

    /// Starts these, and says of each by its number whether it was given back.
    async fn given_back(
        starter: &Starter,
        jobs: Vec<Waiting>,
        shutdown: &CancellationToken,
    ) -> Vec<(i64, bool)> {
        let (line, next) = mpsc::unbounded_channel();
        let (outbox, mut inbox) = mpsc::channel(10);
        jobs.into_iter().for_each(|job| starter.enter(job, &line));
        drop(line);
        starter.run(next, outbox, shutdown).await;
        let mut back = Vec::new();
        while let Some(settled) = inbox.recv().await {
            back.push((settled.lease().number, settled.is_given_back()));
        }
        back
    }

    #[tokio::test]
    async fn what_is_cancelled_while_it_waits_is_not_started() {
        let cancelled = claimed(1);
        cancelled.signs.cancelled.cancel();
        let back = given_back(&starter(), vec![cancelled, claimed(2)], &CancellationToken::new()).await;
        assert_eq!(back, [(1, true), (2, false)]);
    }

    #[tokio::test]
    async fn at_the_end_what_finds_no_place_is_given_back_at_once() {
        let starter = Starter { patience: Duration::from_secs(3600), ..starter() };
        let _taken = starter.places.acquire().await.expect("a place");
        let shutdown = CancellationToken::new();
        shutdown.cancel();
        assert_eq!(
            given_back(&starter, vec![claimed(1), claimed(2)], &shutdown).await,
            [(1, true), (2, true)]
        );
    }
}
