//! Workers: claim jobs of one queue and run them, so many at one time.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::claim::Claimer;
use crate::due;
use crate::error::Verdict;
use crate::handler::Registry;
use crate::keeper::Keeper;
use crate::options::WorkerOptions;
use crate::pace::{Load, Pace};
use crate::roster::Roster;
use crate::settle::{Settled, settle};
use crate::starter::{Starter, Waiting};
use crate::wake::Waker;

/// Outcomes that wait for the keeper. When there are more, runs wait for it, and so do claims.
const INBOX: usize = 1_000;
/// So long a run that was dropped may take to end, and the keeper to write what is left.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does the jobs of one queue. As many as one likes, in as many processes, share it.
#[derive(Debug)]
pub struct Workers {
    claimer: Claimer,
    starter: Starter,
    options: WorkerOptions,
    waker: Waker,
    roster: Arc<Roster>,
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
        let roster = Arc::<Roster>::default();
        let starter =
            Starter::new(registry, Arc::clone(&roster), options.concurrency, options.retry, options.lease);
        Self { claimer, starter, options, waker: Waker::default(), roster }
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
            waker: self.waker.clone(),
            lease: self.options.lease,
            heartbeat: self.options.heartbeat,
        };
        let finish = CancellationToken::new();
        let keeper = tokio::spawn(keeper.run(inbox, finish.clone()));

        let work = async {
            let (line, next) = mpsc::unbounded_channel();
            tokio::join!(
                self.claim(line, &shutdown),
                self.starter.run(next, outbox, &shutdown),
                self.let_come_due(&shutdown),
            );
            self.starter.crew.close();
            self.starter.crew.wait().await;
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

    async fn claim(&self, line: mpsc::UnboundedSender<Waiting>, shutdown: &CancellationToken) {
        let mut wakes = self.waker.enqueued();
        let load = Arc::<Load>::default();
        let mut pace = Pace::new(Arc::clone(&load), self.options.concurrency);
        loop {
            let room = tokio::select! {
                room = pace.room() => room,
                () = shutdown.cancelled() => return,
            };
            // Not to be dropped half-way: what was claimed by then would wait for its lease to run out.
            match self.claimer.claim(room).await {
                Ok(jobs) => {
                    let found = jobs.len();
                    for job in jobs {
                        self.starter.enter(Waiting::new(job, load.hold()), &line);
                    }
                    if found == room && !shutdown.is_cancelled() {
                        continue;
                    }
                }
                Err(error) => tracing::warn!(%error, "cannot claim jobs; will try again"),
            }
            tokio::select! {
                _ = timeout(self.options.poll, wakes.wait()) => {}
                () = shutdown.cancelled() => return,
            }
        }
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
        self.starter.crew.close();
        // A run that is busy between two awaits cannot be dropped, and its job not be given to another one
        // meanwhile: it is left to its lease.
        if timeout(PATIENCE, self.starter.crew.wait()).await.is_err() {
            tracing::warn!("some jobs did not stop; others take them when their leases have run out");
        }
    }

    /// Gives the jobs back whose runs were dropped.
    async fn give_back(&self) {
        let back: Vec<Settled> = self
            .roster
            .idle()
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
