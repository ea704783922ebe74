//! Row 10: 10,000 connections, held, with 20 events a second for one in ten of them.

use anyhow::Result;

use crate::context::Context;
use crate::measure::{Load, warm_up, window};
use crate::process::memory_of_tree;
use crate::publish::{SHARING, Topics};
use crate::readers::Readers;
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::rounds::measure_rows;
use crate::systems::{System, TIDEWATCH, all_once};

const TOPICS: u32 = 10;
const RATE: f64 = 20.0;

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "held",
    title: "10. Many connections held: 20 events/s, each for one in ten",
    columns: &[
        Column::new("connections", "connections", 0),
        Column::new("seconds", "held, s", 0),
        Column::new("bytes", "server's VmRSS, bytes/connection", 0),
        Column::new("server", "server's core", 2),
        Column::new("p99", "p99, ms", 2),
        Column::new("p50", "p50, ms", 2),
        Column::new("lost", "lost", 0),
        Column::new("cut", "connections cut", 0),
    ],
    compared: "server",
    checks: &[
        Check { metric: "lost", of: TIDEWATCH, target: Target::AtMost(0.0) },
        Check { metric: "cut", of: TIDEWATCH, target: Target::AtMost(0.0) },
    ],
}];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    measure_rows(context, SPECS, &all_once(context), 1, one_run).await
}

async fn one_run(context: &Context, system: &dyn System, records: &mut [Record]) -> Result<()> {
    let plan = &context.plan;
    let running = system.start(context).await?;
    let readers = Readers::start(context.clock.clone())?;
    let before = memory_of_tree(running.pid());
    readers.connect(running.readers_of_topics(plan.many, TOPICS)).await?;
    let mut publishers = running.publishers(SHARING).await?;
    let topics = Topics::RoundRobin(TOPICS);
    warm_up(context, &readers, &mut publishers, topics).await?;
    let duration = if system.name() == TIDEWATCH { plan.hold } else { plan.peer_hold };
    let load = (Load::PerSecond(RATE), topics, plan.many as u64 / u64::from(TOPICS));
    let window = window(context, running.as_ref(), &readers, &mut publishers, load, duration).await?;
    let memory = memory_of_tree(running.pid()).saturating_sub(before);
    for record in records {
        record.add(system.name(), "connections", plan.many as f64);
        record.add(system.name(), "seconds", duration.as_secs_f64());
        record.add(system.name(), "bytes", memory as f64 / plan.many as f64);
        record.add(system.name(), "server", window.server_share);
        record.add(system.name(), "p99", window.latency_ms(0.99));
        record.add(system.name(), "p50", window.latency_ms(0.5));
        record.add(system.name(), "lost", window.lost as f64);
        record.add(system.name(), "cut", readers.ended() as f64);
    }
    drop(readers);
    running.stop().await;
    Ok(())
}
