//! Row 5: what an idle connection costs in memory.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::context::Context;
use crate::measure::warm_up;
use crate::process::{kernel_memory, memory_of_tree};
use crate::publish::Topics;
use crate::readers::Readers;
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::rounds::measure_rows;
use crate::systems::{System, TIDEWATCH, all_once};

/// Connections that are there before, so that what a server takes once is not counted.
const BEFORE: usize = 20;
/// How long a server may tidy up before its memory is read.
const SETTLE: Duration = Duration::from_secs(3);

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "memory",
    title: "5. Memory of an idle connection",
    columns: &[
        Column::new("bytes", "server's VmRSS, bytes/connection", 0),
        Column::new("kernel", "kernel, both ends, bytes/connection", 0),
        Column::new("connections", "connections", 0),
        Column::new("rss", "VmRSS with all, MiB", 1),
    ],
    compared: "bytes",
    checks: &[Check { metric: "bytes", of: TIDEWATCH, target: Target::AtMost(2048.0) }],
}];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    measure_rows(context, SPECS, &all_once(context), context.plan.few_runs, one_run).await
}

async fn one_run(context: &Context, system: &dyn System, records: &mut [Record]) -> Result<()> {
    let running = system.start(context).await?;
    let readers = Readers::start(context.clock.clone())?;
    readers.connect(running.readers(BEFORE)).await?;
    let mut publishers = running.publishers(1).await?;
    warm_up(context, &readers, &mut publishers, Topics::All).await?;
    sleep(SETTLE).await;
    let before = (memory_of_tree(running.pid()), kernel_memory());
    readers.connect(running.readers(context.plan.many)).await?;
    sleep(SETTLE).await;
    let after = (memory_of_tree(running.pid()), kernel_memory());
    let each = |before: u64, after: u64| (after as f64 - before as f64) / context.plan.many as f64;
    for record in records {
        record.add(system.name(), "bytes", each(before.0, after.0));
        record.add(system.name(), "kernel", each(before.1, after.1));
        record.add(system.name(), "connections", context.plan.many as f64);
        record.add(system.name(), "rss", after.0 as f64 / f64::from(1 << 20));
    }
    drop(readers);
    running.stop().await;
    Ok(())
}
