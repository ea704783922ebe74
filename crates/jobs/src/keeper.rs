//! The keeper: writes for all runs of a worker what they come to, that they live, and how far they are.
//!
//! No statement here waits for a row that somebody else has locked: the transaction of a request that cancels
//! one job may last, and would hold up the signs of life of all others. What is locked is done next time;
//! nobody else can take such a job meanwhile. One task does all three, so that they do not lock each other out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tidewatch_events::id::JobId;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::claim::Lease;
use crate::roster::Roster;
use crate::settle::{Settled, settle};
use crate::wake::Waker;

/// Most outcomes that are written at once.
const BATCH: usize = 500;
/// So long outcomes are gathered behind the first one: one commit for all.
const GATHER: Duration = Duration::from_millis(5);
/// Pause between two writes of progress.
const PROGRESS: Duration = Duration::from_millis(500);
/// Pause after Postgres refused, or where a row is locked.
const RETRY: Duration = Duration::from_millis(200);

/// Keeps the leases of one worker's runs.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) pool: PgPool,
    pub(crate) roster: Arc<Roster>,
    pub(crate) waker: Waker,
    pub(crate) lease: Duration,
    pub(crate) heartbeat: Duration,
}

impl Keeper {
    /// Works until `finish`, and then until everything in the inbox is written.
    pub(crate) async fn run(self, mut inbox: mpsc::Receiver<Settled>, finish: CancellationToken) {
        let mut cancellations = self.waker.cancelled();
        let mut heartbeats = interval(self.heartbeat);
        let mut progress = interval(PROGRESS);
        for ticks in [&mut heartbeats, &mut progress] {
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        }
        let mut alive = Instant::now();
        let mut open = true;
        let mut pending = Vec::with_capacity(BATCH);
        while open || !pending.is_empty() {
            tokio::select! {
                count = inbox.recv_many(&mut pending, BATCH), if open && pending.len() < BATCH => {
                    open = count > 0;
                    if open {
                        gather(&mut inbox, &mut pending).await;
                    }
                }
                () = tokio::time::sleep(RETRY), if !pending.is_empty() => {}
                () = finish.cancelled(), if !inbox.is_closed() => inbox.close(),
                _ = heartbeats.tick() => self.beat(&mut alive).await,
                // A sign of life brings the wishes to cancel along.
                () = cancellations.wait() => self.beat(&mut alive).await,
                _ = progress.tick() => self.write_progress().await,
            }
            self.settle(&mut pending).await;
        }
    }

    /// Writes the outcomes and forgets their runs; keeps them when Postgres refuses.
    async fn settle(&self, pending: &mut Vec<Settled>) {
        if pending.is_empty() {
            return;
        }
        for settled in pending.iter_mut().filter(|settled| settled.progress.is_none()) {
            settled.progress = self.roster.progress_of(settled.lease());
        }
        match settle(&self.pool, pending).await {
            Ok(locked) => {
                let mut back = false;
                for done in pending.extract_if(.., |settled| !locked.contains(&settled.lease())) {
                    self.roster.leave(done.lease());
                    back |= done.is_given_back();
                }
                if back {
                    self.waker.wake_workers();
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot write what came of jobs; will try again");
                tokio::time::sleep(RETRY).await;
            }
        }
    }

    /// Extends the leases. Whose lease is lost, or whose job is to be cancelled, is told to stop.
    async fn beat(&self, alive: &mut Instant) {
        let leases = self.roster.leases();
        match extend(&self.pool, &leases, self.lease).await {
            Ok(held) => {
                *alive = Instant::now();
                for lease in leases {
                    if held.get(&lease).is_none_or(|cancelled| *cancelled) {
                        self.roster.cancel(lease);
                    }
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot extend the leases of jobs; will try again");
                if alive.elapsed() > self.lease {
                    // By now they can be others': they are not to go on here as well.
                    self.roster.cancel_all();
                }
            }
        }
    }

    async fn write_progress(&self) {
        let news = self.roster.progress();
        if news.is_empty() {
            return;
        }
        // What is lost here is said again soon, or was.
        let written = sqlx::query(
            "with free as materialized (
                 select news.id, news.progress
                 from unnest($1::uuid[], $2::bigint[], $3::text[]) as news (id, lease, progress)
                 cross join lateral (
                     select from jobs
                     where jobs.id = news.id and jobs.lease = news.lease and leased_by is not null
                     for update skip locked) as found
             )
             update jobs set progress = free.progress::jsonb from free where jobs.id = free.id",
        )
        .bind(news.iter().map(|(lease, _)| lease.job.uuid()).collect::<Vec<_>>())
        .bind(news.iter().map(|(lease, _)| lease.number).collect::<Vec<_>>())
        .bind(news.iter().map(|(_, said)| serde_json::json!(said).to_string()).collect::<Vec<_>>())
        .execute(&self.pool)
        .await;
        if let Err(error) = written {
            tracing::warn!(%error, "cannot write the progress of jobs");
        }
    }
}

/// Takes what comes in the next moment, up to a whole batch.
async fn gather(inbox: &mut mpsc::Receiver<Settled>, pending: &mut Vec<Settled>) {
    let gathering = async {
        while pending.len() < BATCH {
            let room = BATCH - pending.len();
            if inbox.recv_many(pending, room).await == 0 {
                break;
            }
        }
    };
    let _ = tokio::time::timeout(GATHER, gathering).await;
}

/// Extends the leases that are still held, and says of each whether its job is to be cancelled.
async fn extend(pool: &PgPool, leases: &[Lease], by: Duration) -> Result<HashMap<Lease, bool>, sqlx::Error> {
    if leases.is_empty() {
        return Ok(HashMap::new());
    }
    let held: Vec<(Uuid, i64, bool)> = sqlx::query_as(
        "with leases as materialized (
             select * from unnest($1::uuid[], $2::bigint[]) as leases (id, lease)
         ), free as materialized (
             select leases.id from leases cross join lateral (
                 select from jobs
                 where jobs.id = leases.id and jobs.lease = leases.lease and leased_by is not null
                 for update skip locked) as found
         ), extended as (
             update jobs set leased_until = clock_timestamp() + make_interval(secs => $3)
             where id = any(array(select id from free))
         )
         select leases.id, leases.lease, held.cancelled from leases cross join lateral (
             select cancel_requested_at is not null as cancelled from jobs
             where jobs.id = leases.id and jobs.lease = leases.lease and leased_by is not null
             limit 1) as held",
    )
    .bind(leases.iter().map(|lease| lease.job.uuid()).collect::<Vec<_>>())
    .bind(leases.iter().map(|lease| lease.number).collect::<Vec<_>>())
    .bind(by.as_secs_f64())
    .fetch_all(pool)
    .await?;
    let lease = |job, number| Lease { job: JobId::from_uuid(job), number };
    Ok(held.into_iter().map(|(job, number, cancelled)| (lease(job, number), cancelled)).collect())
}
