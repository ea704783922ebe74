//! Row 13: what a service sees that publishes by the SDK: events one by one, and batches.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use anyhow::Result;
use futures::future::try_join_all;
use tidewatch_client::{ChannelPublisher, Message, Publisher, RetryPolicy};
use tokio::time::Instant;

use crate::clock::Clock;
use crate::context::Context;
use crate::event::BenchEvent;
use crate::process::{cpu_of_self, cpu_of_tree};
use crate::publish::IN_FLIGHT;
use crate::readers::Latencies;
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::rounds::rounds;
use crate::services::{self, HONO_OUTBOX, RunningService, Service};
use crate::systems::TIDEWATCH;

/// The channel of all events.
const CHANNEL: &str = "orders";
/// Events of a batch.
const BATCH: usize = 100;
/// Batches that are published at one time.
const BATCHES_IN_FLIGHT: usize = 4;
/// CPU is told for so many events.
const PER: f64 = 10_000.0;

const COLUMNS: &[Column] = &[
    Column::new("singles", "one by one, events/s", 0),
    Column::new("p50", "a publish: p50, ms", 2),
    Column::new("p99", "p99, ms", 2),
    Column::new("cpu", "server's CPU, s / 10,000", 2),
    Column::new("helper_cpu", "Postgres' CPU, s / 10,000", 2),
    Column::new("server", "server's core", 2),
    Column::new("generator", "generator", 2),
    Column::new("helper", "Postgres", 2),
    Column::new("batches", "in batches, events/s", 0),
    Column::new("batches_cpu", "server's CPU, s / 10,000 in batches", 2),
    Column::new("batches_helper_cpu", "Postgres' CPU, s / 10,000 in batches", 2),
];

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "publish",
    title: "13. Publish by the SDK: single events, 32 in flight; then batches of 100, 4 in flight",
    columns: COLUMNS,
    compared: "singles",
    checks: &[Check { metric: "singles", of: TIDEWATCH, target: Target::RatioAtLeast(HONO_OUTBOX, 1.0) }],
}];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    let mut records = vec![Record::new(SPECS[0].id, context.plan.runs)];
    rounds(context, &services::all(), context.plan.runs, &mut records, async |context, service, records| {
        one_run(context, service.as_ref(), records).await
    })
    .await?;
    Ok(records)
}

async fn one_run(context: &Context, service: &dyn Service, records: &mut [Record]) -> Result<()> {
    let plan = &context.plan;
    let running = service.start(context).await?;
    let load = Load::new(context, running.as_ref())?;
    // Programs, statements and Postgres' statistics.
    load.singles(plan.publishing / 2).await?;
    load.batches(plan.publishing / 2).await?;
    running.analyze().await?;
    let (singles, latencies) = load.singles(plan.publishing).await?;
    let batches = load.batches(plan.publishing).await?;
    drop(load);
    running.stop().await;
    for record in records {
        let mut add = |metric, value| record.add(service.name(), metric, value);
        add("singles", singles.events / singles.publishing);
        add("p50", latencies.value_at_quantile(0.5) as f64 / 1000.0);
        add("p99", latencies.value_at_quantile(0.99) as f64 / 1000.0);
        add("cpu", singles.server_cpu / singles.events * PER);
        add("helper_cpu", singles.helper_cpu / singles.events * PER);
        add("server", singles.server_cpu / singles.seconds);
        add("generator", singles.generator_cpu / singles.seconds);
        add("helper", singles.helper_cpu / singles.seconds);
        add("batches", batches.events / batches.publishing);
        add("batches_cpu", batches.server_cpu / batches.events * PER);
        add("batches_helper_cpu", batches.helper_cpu / batches.events * PER);
        for (what, window) in [("single events", &singles), ("batches", &batches)] {
            let share = |cpu| cpu / window.seconds;
            record.warn_of_busy_core(
                &format!("{}, {what}", service.name()),
                share(window.generator_cpu),
                share(window.helper_cpu),
            );
        }
    }
    Ok(())
}

/// Publishes to one service.
struct Load<'a> {
    context: &'a Context,
    running: &'a dyn RunningService,
    publisher: Publisher,
    channel: ChannelPublisher,
    /// Events since the service's start.
    published: Cell<u64>,
}

/// What a while of publishing came to.
struct Window {
    events: f64,
    /// Seconds until the last publish was answered.
    publishing: f64,
    /// Seconds until all that follows was done too; CPU is counted until then.
    seconds: f64,
    server_cpu: f64,
    helper_cpu: f64,
    generator_cpu: f64,
}

impl<'a> Load<'a> {
    fn new(context: &'a Context, running: &'a dyn RunningService) -> Result<Self> {
        let publisher = Publisher::new(&running.url(), running.key())?.with_retries(RetryPolicy::NEVER);
        let channel = publisher.channel(CHANNEL);
        Ok(Self { context, running, publisher, channel, published: Cell::new(0) })
    }

    /// Publishes single events, and takes the time of each in microseconds.
    async fn singles(&self, duration: Duration) -> Result<(Window, Latencies)> {
        let latencies = RefCell::new(Latencies::new(3)?);
        let window = self
            .window(IN_FLIGHT, duration, async || {
                let draft = next_event(&self.context.clock).draft(&self.channel);
                let before = Instant::now();
                draft.send().await?;
                latencies.borrow_mut().record(u64::try_from(before.elapsed().as_micros())?)?;
                Ok(1)
            })
            .await?;
        Ok((window, latencies.into_inner()))
    }

    async fn batches(&self, duration: Duration) -> Result<Window> {
        self.window(BATCHES_IN_FLIGHT, duration, async || {
            let messages: Vec<Message> = (0..BATCH)
                .map(|_| next_event(&self.context.clock).draft(&self.channel).into_message())
                .collect::<Result<_, _>>()?;
            Ok(self.publisher.publish_all(messages).await?.len())
        })
        .await
    }

    /// Publishes with so many in flight, as fast as they are answered.
    async fn window(
        &self,
        in_flight: usize,
        duration: Duration,
        publish: impl AsyncFn() -> Result<usize>,
    ) -> Result<Window> {
        let helper_cpu = || self.context.database.postgres.map_or(0.0, cpu_of_tree);
        let before = (cpu_of_tree(self.running.pid()), helper_cpu(), cpu_of_self());
        let start = Instant::now();
        let end = start + duration;
        let counts = try_join_all((0..in_flight).map(async |_| {
            let mut count = 0;
            while Instant::now() < end {
                count += publish().await?;
            }
            anyhow::Ok(count)
        }))
        .await?;
        let publishing = start.elapsed().as_secs_f64();
        let events = counts.iter().sum::<usize>();
        self.published.set(self.published.get() + events as u64);
        self.running.until_through(self.published.get()).await?;
        Ok(Window {
            events: events as f64,
            publishing,
            seconds: start.elapsed().as_secs_f64(),
            server_cpu: cpu_of_tree(self.running.pid()) - before.0,
            helper_cpu: helper_cpu() - before.1,
            generator_cpu: cpu_of_self() - before.2,
        })
    }
}

fn next_event(clock: &Clock) -> BenchEvent {
    BenchEvent { number: clock.next_number(), topic: None }
}
