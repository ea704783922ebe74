//! Rows 1 to 3: fan-out to 1,000 readers, by the server's CPU and by latency.

use anyhow::Result;

use crate::context::Context;
use crate::measure::{Load, Window, warm_up, window};
use crate::publish::{IN_FLIGHT, SHARING, Topics};
use crate::readers::Readers;
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::rounds::measure_rows;
use crate::systems::{BARE_TCP, System, TIDEWATCH, all};

const CPU: &str = "cpu_per_100k";
const COST: &[Column] = &[
    Column::new(CPU, "CPU s / 100,000 deliveries", 3),
    Column::new("rate", "events/s", 0),
    Column::new("together", "events/read", 1),
    Column::new("bytes", "bytes/delivery", 0),
    Column::new("lost", "lost", 0),
    Column::new("cut", "readers cut", 0),
    Column::new("server", "server's core", 2),
    Column::new("generator", "generator (readers + publishers)", 2),
    Column::new("readers", "readers alone", 2),
    Column::new("helper", "Postgres or Redis", 2),
];

pub(super) const SPECS: &[RowSpec] = &[
    RowSpec {
        id: "fanout-100",
        title: "1a. Fan-out, one event at a time: 100 events/s to 1,000 readers",
        columns: COST,
        compared: CPU,
        checks: &[Check { metric: CPU, of: TIDEWATCH, target: Target::RatioAtMost(BARE_TCP, 1.25) }],
    },
    RowSpec {
        id: "fanout-20",
        title: "1b. Fan-out, one event at a time: 20 events/s to 1,000 readers",
        columns: COST,
        compared: CPU,
        checks: &[Check { metric: CPU, of: TIDEWATCH, target: Target::RatioAtMost(BARE_TCP, 1.25) }],
    },
    RowSpec {
        id: "saturation",
        title: "2. Fan-out at saturation: 32 publishes in flight, 1,000 readers",
        columns: COST,
        compared: CPU,
        checks: &[
            Check { metric: CPU, of: TIDEWATCH, target: Target::AtMost(0.09) },
            Check { metric: "lost", of: TIDEWATCH, target: Target::AtMost(0.0) },
        ],
    },
    RowSpec {
        id: "latency",
        title: "3. Publish → received: 20 events/s, 1,000 readers",
        columns: &[
            Column::new("p99", "p99, ms", 2),
            Column::new("p50", "p50, ms", 2),
            Column::new("lost", "lost", 0),
        ],
        compared: "p99",
        checks: &[Check { metric: "p99", of: TIDEWATCH, target: Target::RatioAtMost(BARE_TCP, 1.5) }],
    },
];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    measure_rows(context, SPECS, &all(context), context.plan.runs, one_run).await
}

async fn one_run(context: &Context, system: &dyn System, records: &mut [Record]) -> Result<()> {
    let plan = &context.plan;
    let running = system.start(context).await?;
    let readers = Readers::start(context.clock.clone())?;
    readers.connect(running.readers(plan.readers)).await?;
    let mut publishers = running.publishers(SHARING).await?;
    warm_up(context, &readers, &mut publishers, Topics::All).await?;

    let everyone = plan.readers as u64;
    let load = |load| (load, Topics::All, everyone);
    let running_ref = running.as_ref();
    let steady =
        window(context, running_ref, &readers, &mut publishers, load(Load::PerSecond(100.0)), plan.steady)
            .await?;
    let slow =
        window(context, running_ref, &readers, &mut publishers, load(Load::PerSecond(20.0)), plan.slow)
            .await?;
    let cut = readers.ended();
    // Not before: a connection that is idle for some seconds is closed by Node.
    let mut many = running.publishers(IN_FLIGHT).await?;
    let saturated =
        window(context, running_ref, &readers, &mut many, load(Load::Saturated), plan.saturated).await?;

    if let [first, second, third, fourth] = records {
        add_cost(first, system.name(), &steady, cut);
        add_cost(second, system.name(), &slow, cut);
        add_cost(third, system.name(), &saturated, readers.ended());
        fourth.add(system.name(), "p99", slow.latency_ms(0.99));
        fourth.add(system.name(), "p50", slow.latency_ms(0.5));
        fourth.add(system.name(), "lost", slow.lost as f64);
    }
    drop(readers);
    running.stop().await;
    Ok(())
}

fn add_cost(record: &mut Record, system: &str, window: &Window, cut: usize) {
    record.add(system, CPU, window.cpu_per_100k());
    record.add(system, "rate", window.rate);
    record.add(system, "together", window.events_per_read);
    record.add(system, "bytes", window.bytes_per_delivery);
    record.add(system, "lost", window.lost as f64);
    record.add(system, "cut", cut as f64);
    record.add_shares(system, window);
}
