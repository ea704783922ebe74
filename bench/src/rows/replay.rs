//! Row 9: 10,000 events to one reader that comes late.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::sleep;

use crate::context::Context;
use crate::process::cpu_of_tree;
use crate::publish::{IN_FLIGHT, Topics, burst};
use crate::readers::{Reader, Readers};
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::rounds::rounds;
use crate::systems::{Hono, Nchan, Running, System, TIDEWATCH, Tidewatch};

/// Events that are replayed: as many as Tidewatch keeps in memory by default.
const EVENTS: u64 = 10_000;
/// Tidewatch with a ring of one event, so that all is read from Postgres.
const FROM_POSTGRES: &str = "Tidewatch, out of Postgres";
/// How long nothing may arrive until what is missing counts as lost.
const SILENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(300);

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "replay",
    title: "9. Replay of 10,000 events to one reader",
    columns: &[
        Column::new("ms", "from request to the 10,000th event, ms", 0),
        Column::new("cpu_ms", "server's CPU, ms", 0),
        Column::new("lost", "lost", 0),
    ],
    compared: "ms",
    checks: &[
        Check { metric: "ms", of: TIDEWATCH, target: Target::AtMost(300.0) },
        Check { metric: "ms", of: FROM_POSTGRES, target: Target::AtMost(300.0) },
    ],
}];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    let tidewatch = Tidewatch::new(context.database.clone());
    let systems: Vec<Box<dyn System>> = vec![
        Box::new(Nchan { kept: EVENTS as usize, from_oldest: true }),
        Box::new(Hono { database: Some(context.database.clone()) }),
        Box::new(tidewatch.clone()),
        Box::new(tidewatch.variant(FROM_POSTGRES, ("TIDEWATCH_RING_EVENTS", "1".to_owned()))),
    ];
    let mut records = vec![Record::new(SPECS[0].id, context.plan.runs)];
    // The events are published once a system; each run is a reader of its own.
    rounds(context, &systems, 1, &mut records, async |context, system, records| {
        let running = system.start(context).await?;
        publish_all(context, running.as_ref()).await?;
        for _ in 0..context.plan.runs {
            one_replay(context, running.as_ref(), system.name(), records).await?;
        }
        running.stop().await;
        Ok(())
    })
    .await?;
    Ok(records)
}

async fn publish_all(context: &Context, running: &dyn Running) -> Result<()> {
    let readers = Readers::start(context.clock.clone())?;
    readers.connect(running.readers(1)).await?;
    let mut publishers = running.publishers(IN_FLIGHT).await?;
    readers.reset().await?;
    burst(&mut publishers, &context.clock, Topics::All, EVENTS).await?;
    let arrived = readers.until_deliveries(EVENTS, SILENCE).await;
    ensure!(arrived == EVENTS, "only {arrived} of {EVENTS} events were published");
    Ok(())
}

async fn one_replay(
    context: &Context,
    running: &dyn Running,
    system: &str,
    records: &mut [Record],
) -> Result<()> {
    sleep(PAUSE).await;
    let readers = Readers::start(context.clock.clone())?;
    let request = Arc::from(running.replay_request().into_bytes());
    readers.mark(EVENTS);
    let cpu = cpu_of_tree(running.pid());
    let asked = context.clock.now();
    readers.open(vec![Reader { address: running.address(), request, reads: true }])?;
    let arrived = readers.until_deliveries(EVENTS, SILENCE).await;
    for record in records {
        if let Some(marked) = readers.marked_at() {
            record.add(system, "ms", (marked - asked) as f64 / 1e6);
        }
        record.add(system, "cpu_ms", (cpu_of_tree(running.pid()) - cpu) * 1000.0);
        record.add(system, "lost", (EVENTS - arrived.min(EVENTS)) as f64);
    }
    Ok(())
}
