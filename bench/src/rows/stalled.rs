//! Row 8: readers that never read, what is held for them, and whether the others notice.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use crate::context::Context;
use crate::measure::{Load, Window, warm_up, window};
use crate::process::{memory_of_tree, send_queues};
use crate::publish::{Publishers, SHARING, Topics};
use crate::readers::Readers;
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::rounds::measure_rows;
use crate::systems::{Running, System, TIDEWATCH, all_once};

/// Readers that never read. One would be lost in the noise of the server's memory, so there are as
/// many, and the figures are for each.
const SILENT: usize = 50;
const RATE: f64 = 100.0;
/// How often memory is looked at; the most is what counts.
const LOOK: Duration = Duration::from_millis(500);

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "stalled",
    title: "8. Readers that never read: 50 beside 950 others, 100 events/s",
    columns: &[
        Column::new("held", "held for each, user + kernel, KiB", 0),
        Column::new("user", "of it the server's VmRSS, KiB", 0),
        Column::new("kernel", "of it send queue, KiB", 0),
        Column::new("p99_ratio", "others' p99, with ÷ without", 2),
        Column::new("p99_before", "without, ms", 2),
        Column::new("p99_with", "with, ms", 2),
        Column::new("lost", "lost by others", 0),
        Column::new("sent", "written towards each, KiB", 0),
    ],
    compared: "held",
    checks: &[
        Check { metric: "held", of: TIDEWATCH, target: Target::AtMost(256.0) },
        Check { metric: "p99_ratio", of: TIDEWATCH, target: Target::AtMost(1.25) },
    ],
}];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    measure_rows(context, SPECS, &all_once(context), context.plan.few_runs, one_run).await
}

async fn one_run(context: &Context, system: &dyn System, records: &mut [Record]) -> Result<()> {
    let plan = &context.plan;
    let running = system.start(context).await?;
    let readers = Readers::start(context.clock.clone())?;
    let others = plan.readers - SILENT;
    readers.connect(running.readers(others)).await?;
    let mut publishers = running.publishers(SHARING).await?;
    warm_up(context, &readers, &mut publishers, Topics::All).await?;
    let publish = async |publishers: &mut Publishers, duration| {
        let load = (Load::PerSecond(RATE), Topics::All, others as u64);
        window(context, running.as_ref(), &readers, publishers, load, duration).await
    };
    let before = publish(&mut publishers, plan.stalled / 2).await?;
    let memory_before = memory_of_tree(running.pid());

    readers.connect(vec![running.reader(None, false); SILENT]).await?;
    let ports = readers.silent_ports();
    let mut held = Held::default();
    let with = {
        let publishing = publish(&mut publishers, plan.stalled);
        tokio::pin!(publishing);
        loop {
            tokio::select! {
                with = &mut publishing => break with?,
                () = sleep(LOOK) => held.look(running.as_ref(), &ports, memory_before).await?,
            }
        }
    };
    for record in records {
        add(record, system.name(), held, &before, &with);
    }
    drop(readers);
    running.stop().await;
    Ok(())
}

/// The most that was held for all of them at one time, in bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Held {
    user: u64,
    kernel: u64,
}

impl Held {
    async fn look(&mut self, running: &dyn Running, ports: &[u16], before: u64) -> Result<()> {
        let user = memory_of_tree(running.pid()).saturating_sub(before);
        let kernel = send_queues(running.address().port(), ports).await?;
        if user + kernel > self.user + self.kernel {
            *self = Self { user, kernel };
        }
        Ok(())
    }
}

fn add(record: &mut Record, system: &str, held: Held, before: &Window, with: &Window) {
    let each = |bytes: u64| bytes as f64 / SILENT as f64 / 1024.0;
    record.add(system, "held", each(held.user + held.kernel));
    record.add(system, "user", each(held.user));
    record.add(system, "kernel", each(held.kernel));
    record.add(system, "p99_before", before.latency_ms(0.99));
    record.add(system, "p99_with", with.latency_ms(0.99));
    record.add(system, "p99_ratio", with.latency_ms(0.99) / before.latency_ms(0.99));
    record.add(system, "lost", with.lost as f64);
    let events = with.deliveries as f64 / (with.deliveries + with.lost) as f64 * RATE;
    record.add(system, "sent", events * with.bytes_per_delivery * with.seconds / 1024.0);
}
