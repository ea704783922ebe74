//! Row 11: connections that come and go, 200 a second.

use std::time::Duration;

use anyhow::Result;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::context::Context;
use crate::process::{cpu_of_tree, established, memory_of_tree};
use crate::readers::Readers;
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::rounds::measure_rows;
use crate::systems::{System, TIDEWATCH, all_once};

const PER_SECOND: usize = 200;
/// How often connections are made: so many at once.
const TICK: Duration = Duration::from_millis(50);
/// Connections that are open at one time: each lives for a second.
const OPEN: usize = 200;
/// How long a server may tidy up before its memory is read.
const SETTLE: Duration = Duration::from_secs(3);

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "flood",
    title: "11. Connections that come and go, 200 a second",
    columns: &[
        Column::new("connections", "connections made", 0),
        Column::new("seconds", "for, s", 0),
        Column::new("before", "VmRSS before, MiB", 1),
        Column::new("middle", "half-way, MiB", 1),
        Column::new("after", "after, MiB", 1),
        Column::new("growth", "second half's growth, bytes/connection", 0),
        Column::new("left", "connections left", 0),
        Column::new("cpu_ms", "server's CPU, ms/connection", 2),
    ],
    compared: "cpu_ms",
    checks: &[
        Check { metric: "left", of: TIDEWATCH, target: Target::AtMost(0.0) },
        Check { metric: "growth", of: TIDEWATCH, target: Target::AtMost(256.0) },
    ],
}];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    measure_rows(context, SPECS, &all_once(context), 1, one_run).await
}

async fn one_run(context: &Context, system: &dyn System, records: &mut [Record]) -> Result<()> {
    let running = system.start(context).await?;
    let readers = Readers::start(context.clock.clone())?;
    let pid = running.pid();
    let port = running.address().port();
    let duration = if system.name() == TIDEWATCH { context.plan.flood } else { context.plan.peer_flood };
    let before = (memory_of_tree(pid), established(port), cpu_of_tree(pid));
    flood(&readers, &vec![running.reader(None, true); OPEN], duration / 2).await?;
    let middle = memory_of_tree(pid);
    flood(&readers, &vec![running.reader(None, true); OPEN], duration / 2).await?;
    let cpu = cpu_of_tree(pid) - before.2;
    let (after, left) = (memory_of_tree(pid), established(port).saturating_sub(before.1));
    let made = readers.connected() as f64;
    let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    for record in records {
        let mut add = |metric, value| record.add(system.name(), metric, value);
        add("connections", made);
        add("seconds", duration.as_secs_f64());
        add("before", mebibytes(before.0));
        add("middle", mebibytes(middle));
        add("after", mebibytes(after));
        add("growth", (after as f64 - middle as f64) / made * 2.0);
        add("left", left as f64);
        add("cpu_ms", cpu / made * 1000.0);
    }
    drop(readers);
    running.stop().await;
    Ok(())
}

/// Connects and disconnects for a while; at the end all are closed and the server has had a rest.
async fn flood(readers: &Readers, some: &[crate::readers::Reader], duration: Duration) -> Result<()> {
    let at_once = PER_SECOND * TICK.as_millis() as usize / 1000;
    let end = Instant::now() + duration;
    let mut tick = interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut open = 0;
    while Instant::now() < end {
        tick.tick().await;
        readers.connect(some.iter().take(at_once).cloned().collect()).await?;
        open += at_once;
        if open > OPEN {
            readers.close_oldest(at_once)?;
            open -= at_once;
        }
    }
    readers.close_oldest(open)?;
    sleep(SETTLE).await;
    Ok(())
}
