//! Row 4: from the commit to the readers whom an event concerns.

use anyhow::Result;

use crate::context::Context;
use crate::measure::{Load, warm_up, window};
use crate::publish::{SHARING, Topics};
use crate::readers::Readers;
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::rounds::measure_rows;
use crate::systems::{Hono, System, TIDEWATCH, Tidewatch, tidewatch::SentAt};

/// What readers ask for: each event concerns one in ten.
const TOPICS: u32 = 10;
const RATE: f64 = 167.0;

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "commit",
    title: "4. Commit → the readers concerned: 167 events/s, each for 100 of 1,000 readers",
    columns: &[
        Column::new("p99", "p99, ms", 2),
        Column::new("p50", "p50, ms", 2),
        Column::new("lost", "lost", 0),
        Column::new("server", "server's core", 2),
        Column::new("generator", "generator (readers + publishers)", 2),
        Column::new("readers", "readers alone", 2),
        Column::new("helper", "Postgres", 2),
    ],
    compared: "p99",
    checks: &[Check { metric: "p99", of: TIDEWATCH, target: Target::AtMost(25.0) }],
}];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    let mut tidewatch = Tidewatch::new(context.database.clone());
    tidewatch.sent_at = SentAt::Commit;
    let systems: Vec<Box<dyn System>> =
        vec![Box::new(Hono { database: Some(context.database.clone()) }), Box::new(tidewatch)];
    measure_rows(context, SPECS, &systems, context.plan.runs, one_run).await
}

async fn one_run(context: &Context, system: &dyn System, records: &mut [Record]) -> Result<()> {
    let plan = &context.plan;
    let running = system.start(context).await?;
    let readers = Readers::start(context.clock.clone())?;
    readers.connect(running.readers_of_topics(plan.readers, TOPICS)).await?;
    let mut publishers = running.publishers(SHARING).await?;
    let topics = Topics::RoundRobin(TOPICS);
    warm_up(context, &readers, &mut publishers, topics).await?;
    let concerned = plan.readers as u64 / u64::from(TOPICS);
    let load = (Load::PerSecond(RATE), topics, concerned);
    let window = window(context, running.as_ref(), &readers, &mut publishers, load, plan.slow).await?;
    for record in records {
        record.add(system.name(), "p99", window.latency_ms(0.99));
        record.add(system.name(), "p50", window.latency_ms(0.5));
        record.add(system.name(), "lost", window.lost as f64);
        record.add_shares(system.name(), &window);
    }
    drop(readers);
    running.stop().await;
    Ok(())
}
