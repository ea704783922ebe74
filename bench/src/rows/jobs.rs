//! Row 12: the job queue: a backlog drained by four workers of one process, and jobs that come one by one.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, sleep, sleep_until};

use crate::context::Context;
use crate::process::cpu_of_tree;
use crate::queues::{self, GRAPHILE, GRAPHILE_BATCHING, Queue, Reports, RunningQueue};
use crate::readers::Latencies;
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::rounds::rounds;
use crate::systems::TIDEWATCH;

/// CPU is told for so many jobs.
const PER: f64 = 10_000.0;
/// Jobs before anything is counted, so that programs and statements are warm.
const WARM_UP: usize = 2_000;
/// Time between two single jobs.
const PAUSE: Duration = Duration::from_millis(25);
/// Pause between two looks whether a job is left, when the last one has run.
const LOOK: Duration = Duration::from_millis(2);

const COLUMNS: &[Column] = &[
    Column::new("drained", "drained, jobs/s", 0),
    Column::new("worker_cpu", "workers' CPU, s / 10,000", 2),
    Column::new("helper_cpu", "Postgres' CPU, s / 10,000", 2),
    Column::new("enqueued", "enqueued, jobs/s", 0),
    Column::new("p50", "one job, enqueued → started: p50, ms", 2),
    Column::new("p99", "p99, ms", 2),
];

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "jobs",
    title: "12. Jobs: 10,000 enqueued in one transaction and drained by 4 workers; then one job every 25 ms",
    columns: COLUMNS,
    compared: "drained",
    checks: &[
        check("drained", Target::RatioAtLeast(GRAPHILE_BATCHING, 1.0)),
        check("worker_cpu", Target::RatioAtMost(GRAPHILE_BATCHING, 1.0)),
        check("helper_cpu", Target::RatioAtMost(GRAPHILE_BATCHING, 1.0)),
        check("helper_cpu", Target::RatioAtMost(GRAPHILE, 1.0)),
        check("enqueued", Target::RatioAtLeast(GRAPHILE_BATCHING, 1.0)),
        check("p50", Target::RatioAtMost(GRAPHILE, 1.0)),
        check("p99", Target::RatioAtMost(GRAPHILE, 1.0)),
    ],
}];

const fn check(metric: &'static str, target: Target) -> Check {
    Check { metric, of: TIDEWATCH, target }
}

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    let mut records = vec![Record::new(SPECS[0].id, context.plan.runs)];
    rounds(context, &queues::all(), context.plan.runs, &mut records, async |context, queue, records| {
        one_run(context, queue.as_ref(), records).await
    })
    .await?;
    Ok(records)
}

async fn one_run(context: &Context, queue: &dyn Queue, records: &mut [Record]) -> Result<()> {
    let reports = Reports::bind().await?;
    let mut running = queue.start(context, &reports).await?;
    drain(context, running.as_mut(), &reports, WARM_UP).await?;
    running.analyze().await?;
    let drained = drain(context, running.as_mut(), &reports, context.plan.jobs).await?;
    let latencies = one_by_one(context, running.as_mut(), &reports).await?;
    running.stop().await;
    for record in records {
        let mut add = |metric, value| record.add(queue.name(), metric, value);
        add("drained", drained.jobs / drained.seconds);
        add("worker_cpu", drained.worker_cpu / drained.jobs * PER);
        add("helper_cpu", drained.helper_cpu / drained.jobs * PER);
        add("enqueued", drained.jobs / drained.enqueueing);
        add("p50", latencies.value_at_quantile(0.5) as f64 / 1000.0);
        add("p99", latencies.value_at_quantile(0.99) as f64 / 1000.0);
    }
    Ok(())
}

struct Drained {
    jobs: f64,
    /// Seconds until the transaction of all jobs was committed.
    enqueueing: f64,
    /// Seconds from then on until the end of the last job was committed.
    seconds: f64,
    worker_cpu: f64,
    helper_cpu: f64,
}

/// Enqueues so many jobs in one transaction, and waits until all are done.
async fn drain(
    context: &Context,
    running: &mut dyn RunningQueue,
    reports: &Reports,
    jobs: usize,
) -> Result<Drained> {
    let before = Instant::now();
    running.enqueue(jobs).await?;
    let start = Instant::now();
    let cpu = (cpu_of_tree(running.pid()), helper_cpu(context));
    // The last of them is one of the last to run: the queue is not asked before, which would cost Postgres time.
    reports.next().await?;
    while running.is_busy().await? {
        sleep(LOOK).await;
    }
    Ok(Drained {
        jobs: jobs as f64,
        enqueueing: (start - before).as_secs_f64(),
        seconds: start.elapsed().as_secs_f64(),
        worker_cpu: cpu_of_tree(running.pid()) - cpu.0,
        helper_cpu: helper_cpu(context) - cpu.1,
    })
}

fn helper_cpu(context: &Context) -> f64 {
    context.database.postgres.map_or(0.0, cpu_of_tree)
}

/// From enqueueing to the start of single jobs, in microseconds.
async fn one_by_one(
    context: &Context,
    running: &mut dyn RunningQueue,
    reports: &Reports,
) -> Result<Latencies> {
    let mut latencies = Latencies::new(3)?;
    let mut next = Instant::now();
    for _ in 0..context.plan.single_jobs {
        next += PAUSE;
        sleep_until(next).await;
        running.enqueue(1).await?;
        latencies.record(reports.next().await?)?;
    }
    Ok(latencies)
}
