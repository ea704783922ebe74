//! Workers: claim jobs of one queue and run them, so many at one time.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

use crate::claim::{Claimed, Claimer};
use crate::context::{JobContext, Signs};
use crate::due;
use crate::error::Verdict;
use crate::handler::Registry;
use crate::keeper::Keeper;
use crate::options::WorkerOptions;
use crate::roster::Roster;
use crate::run::run;
use crate::settle::{Settled, settle};
use crate::wake::Waker;

/// So long places are gathered before the next claim: claimed for each place that comes free, jobs that take
/// no time would cost a round trip each.
const GATHER: Duration = Duration::from_millis(5);
/// Outcomes that wait for the keeper. When there are more, runs wait for it, and so do claims.
const INBOX: usize = 1_000;
/// So long a run that was dropped may take to end, and the keeper to write what is left.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does the jobs of one queue. As many as one likes, in as many processes, share it.
#[derive(Debug)]
pub struct Workers {
    claimer: Claimer,
    registry: Registry,
    options: WorkerOptions,
    waker: Waker,
    roster: Arc<Roster>,
    slots: Arc<Semaphore>,
    crew: TaskTracker,
}

impl Workers {
    /// Workers over this pool, of which they use three connections at most, beside what handlers use. Its role
    /// owns the tables: workers look across projects.
    #[must_use]
    pub fn new(pool: PgPool, options: WorkerOptions, registry: Registry) -> Self {
        let claimer = Claimer {
            pool,
            queue: options.queue.clone(),
            kinds: registry.kinds(),
            name: options.name.clone(),
            lease: options.lease,
        };
        Self {
            claimer,
            registry,
            waker: Waker::default(),
            roster: Arc::default(),
            slots: Arc::new(Semaphore::new(options.concurrency)),
            crew: TaskTracker::new(),
            options,
        }
    }

    /// Wakes up by `waker`, too, and not by the poll alone.
    #[must_use]
    pub fn woken_by(mut self, waker: Waker) -> Self {
        self.waker = waker;
        self
    }

    /// Works until `shutdown`; then claims no more, lets runs go on for [`WorkerOptions::grace`], drops what
    /// still runs and gives those jobs back: they wait again, and the attempt does not count.
    pub async fn run(self, shutdown: CancellationToken) {
        let (outbox, inbox) = mpsc::channel(INBOX);
        let keeper = Keeper {
            pool: self.claimer.pool.clone(),
            roster: Arc::clone(&self.roster),
            lease: self.options.lease,
            heartbeat: self.options.heartbeat,
        };
        let finish = CancellationToken::new();
        let keeper = tokio::spawn(keeper.run(inbox, self.waker.cancelled(), finish.clone()));

        let work = async {
            tokio::join!(self.claim_and_start(&outbox, &shutdown), self.let_come_due(&shutdown));
            self.crew.close();
            self.crew.wait().await;
        };
        let deadline = async {
            shutdown.cancelled().await;
            tokio::time::sleep(self.options.grace).await;
        };
        tokio::select! {
            () = work => {}
            () = deadline => self.drop_runs().await,
        }
        finish.cancel();
        match timeout(PATIENCE, keeper).await {
            Ok(_) => self.give_back().await,
            // Among them can be jobs that are done. They are found by others when their leases have run out.
            Err(_) => tracing::warn!("cannot write what came of the last jobs"),
        }
    }

    async fn claim_and_start(&self, outbox: &mpsc::Sender<Settled>, shutdown: &CancellationToken) {
        let mut wakes = self.waker.enqueued();
        loop {
            let free = tokio::select! {
                free = self.free_slots() => free,
                () = shutdown.cancelled() => return,
            };
            // Not to be dropped half-way: what was claimed by then would wait for its lease to run out.
            match self.claimer.claim(free).await {
                Ok(jobs) => {
                    let found = jobs.len();
                    for job in jobs {
                        self.start(job, outbox.clone());
                    }
                    if found == free && !shutdown.is_cancelled() {
                        continue;
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot claim jobs; will try again"),
            }
            tokio::select! {
                _ = timeout(self.options.poll, wakes.changed()) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// How many more jobs can run. Waits until it is half of all, or a moment, and then for the first.
    async fn free_slots(&self) -> usize {
        let half = u32::try_from(self.options.concurrency / 2).unwrap_or(u32::MAX).max(1);
        drop(timeout(GATHER, self.slots.acquire_many(half)).await);
        drop(self.slots.acquire().await);
        self.slots.available_permits()
    }

    fn start(&self, job: Claimed, outbox: mpsc::Sender<Settled>) {
        let lease = job.lease;
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let (Some(handler), Ok(slot)) = (self.registry.find(&job.kind), slot) else {
            tracing::error!(job.id = %lease.job, job.kind, "claimed what cannot be run; its lease will run out");
            return;
        };
        let signs = Arc::new(Signs::default());
        let context = JobContext::new(&job, Arc::clone(&signs));
        let policy = self.options.retry;
        let span = tracing::info_span!("jobs.run", job.id = %lease.job, job.kind, job.attempt);
        let task = async move {
            let verdict = run(&*handler, &context, &job.payload).await;
            let settled = Settled::of(lease, job.attempt, job.max_attempts, verdict, &policy);
            // Refused only when the keeper has gone: then others find the job when the lease runs out.
            let _ = outbox.send(settled).await;
            drop(slot);
        };
        self.roster.enter(lease, signs, || self.crew.spawn(task.instrument(span)).abort_handle());
    }

    async fn let_come_due(&self, shutdown: &CancellationToken) {
        while !shutdown.is_cancelled() {
            let pause = match due::look(&self.claimer.pool).await {
                Ok(look) => {
                    if look.moved {
                        self.waker.wake_here();
                    }
                    if look.more {
                        continue;
                    }
                    look.next.map_or(self.options.poll, |next| next.min(self.options.poll))
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot look for jobs that are due; will try again");
                    self.options.poll
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => {}
            }
        }
    }

    /// Tells all runs to stop, and drops them.
    async fn drop_runs(&self) {
        self.roster.cancel_all();
        self.roster.abort_all();
        self.crew.close();
        // A run that is busy between two awaits cannot be dropped, and its job not be given to another one
        // meanwhile: it is left to its lease.
        if timeout(PATIENCE, self.crew.wait()).await.is_err() {
            tracing::warn!("some jobs did not stop; others take them when their leases have run out");
        }
    }

    /// Gives the jobs back whose runs were dropped.
    async fn give_back(&self) {
        let back: Vec<Settled> = self
            .roster
            .ended()
            .into_iter()
            .map(|lease| Settled::of(lease, 0, 1, Verdict::GivenBack, &self.options.retry))
            .collect();
        if back.is_empty() {
            return;
        }
        match settle(&self.claimer.pool, &back).await {
            Ok(_) => tracing::info!(jobs = back.len(), "gave jobs back that were not done in time"),
            Err(error) => tracing::warn!(%error, "cannot give jobs back; others take them in time"),
        }
        self.waker.wake_workers();
    }
}
