//! Row 7: how fast the relay works off a backlog, beside the plain claim-and-update loop.

use std::time::Duration;

use anyhow::Result;
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::time::{Instant, sleep};

use crate::context::Context;
use crate::cores::run_on_core;
use crate::process::{cpu_of_tree, memory_of_tree};
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::systems::{Running, TIDEWATCH, Tidewatch, tidewatch::Prepared};

const BARE: &str = "claim and update, bare";
/// Parts of the backlog; each one's rate is a value of its own, so that the spread shows whether the
/// rate falls with the size of what is left.
const PARTS: u64 = 5;
const LOOK: Duration = Duration::from_millis(100);
/// How long the relay may come no further.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) const SPECS: &[RowSpec] = &[RowSpec {
    id: "relay",
    title: "7. The relay's backlog of unpublished events (1,000,000 in a full run), by fifths",
    columns: &[
        Column::new("rate", "events/s", 0),
        Column::new("rss", "VmRSS at the end of each fifth, MiB", 1),
        Column::new("server", "server's core", 2),
        Column::new("helper", "Postgres", 2),
        Column::new("backlog", "events", 0),
    ],
    compared: "rate",
    checks: &[
        Check { metric: "rate", of: TIDEWATCH, target: Target::AtLeast(20_000.0) },
        Check { metric: "rate", of: TIDEWATCH, target: Target::RatioAtLeast(BARE, 0.4) },
        Check { metric: "rss", of: TIDEWATCH, target: Target::GrowsAtMost(1.1) },
    ],
}];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    let mut tidewatch = Tidewatch::new(context.database.clone());
    tidewatch.database_name = "bench_relay";
    let prepared = tidewatch.prepare(context).await?;
    let mut record = Record::new(SPECS[0].id, 1);

    let pool = PgPoolOptions::new().max_connections(2).connect(&prepared.url).await?;
    tracing::info!(events = context.plan.backlog, "recording the backlogs");
    record_backlog(&pool, &prepared, context.plan.backlog).await?;
    tracing::info!("{BARE}");
    run_on_core(&context.cores.server)?;
    let bare = drain_bare(context, &pool, &mut record).await;
    run_on_core(&context.cores.generator)?;
    bare?;
    tracing::info!("{TIDEWATCH}");
    drain_tidewatch(context, &tidewatch, prepared, &mut record).await?;
    pool.close().await;
    Ok(vec![record])
}

/// The same events unpublished in both tables.
async fn record_backlog(pool: &PgPool, prepared: &Prepared, events: u64) -> Result<()> {
    sqlx::query(
        "insert into domain_events
             (event_id, project_id, event_type, aggregate_type, aggregate_id, aggregate_version, occurred_at,
              payload, permissions)
         select gen_random_uuid(), $1, 'settlement.status_changed', 'Settlement', 'bench-' || n % 1000, n, now(),
                jsonb_build_object('benchSeq', n, 'pad', 'xxxxxxxxxxxxxx'), '{settlements.read}'
         from generate_series(1, $2::bigint) as n",
    )
    .bind(prepared.project.uuid())
    .bind(i64::try_from(events)?)
    .execute(pool)
    .await?;
    // An outbox as one would write it without a published log: one table, one index on what is left.
    sqlx::raw_sql(
        "create table bare_outbox (
             id bigint generated always as identity primary key, event_id uuid not null, project_id uuid not null,
             event_type text not null, aggregate_type text not null, aggregate_id text not null,
             aggregate_version bigint not null, occurred_at timestamptz not null, payload jsonb not null,
             metadata jsonb not null, permissions text[] not null, published_at timestamptz);
         create index bare_outbox_pending on bare_outbox (id) where published_at is null;
         insert into bare_outbox (event_id, project_id, event_type, aggregate_type, aggregate_id,
                                  aggregate_version, occurred_at, payload, metadata, permissions)
         select event_id, project_id, event_type, aggregate_type, aggregate_id, aggregate_version, occurred_at,
                payload, metadata, permissions
         from domain_events order by sequence;",
    )
    .execute(pool)
    .await?;
    // Both begin with statistics, and with nothing left to be written of what was just recorded.
    sqlx::raw_sql("vacuum analyze bare_outbox").execute(pool).await?;
    sqlx::raw_sql("vacuum analyze domain_events").execute(pool).await?;
    // Only a superuser may ask for a checkpoint.
    let _ = sqlx::raw_sql("checkpoint").execute(pool).await;
    Ok(())
}

async fn drain_bare(context: &Context, pool: &PgPool, record: &mut Record) -> Result<()> {
    let part = context.plan.backlog / PARTS;
    for _ in 0..PARTS {
        let start = Instant::now();
        let helper = context.database.postgres.map_or(0.0, cpu_of_tree);
        let mut published = 0;
        while published < part {
            let claimed = sqlx::query(
                "with claimed as (select id from bare_outbox where published_at is null
                                  order by id limit 1000 for update skip locked)
                 update bare_outbox set published_at = clock_timestamp()
                 from claimed where bare_outbox.id = claimed.id",
            )
            .execute(pool)
            .await?
            .rows_affected();
            anyhow::ensure!(claimed > 0, "the backlog ended before its time");
            published += claimed;
        }
        let seconds = start.elapsed().as_secs_f64();
        record.add(BARE, "rate", published as f64 / seconds);
        let helper = context.database.postgres.map_or(0.0, cpu_of_tree) - helper;
        record.add(BARE, "helper", helper / seconds);
        record.add(BARE, "backlog", context.plan.backlog as f64);
    }
    Ok(())
}

async fn drain_tidewatch(
    context: &Context,
    tidewatch: &Tidewatch,
    prepared: Prepared,
    record: &mut Record,
) -> Result<()> {
    let running = tidewatch.serve(context, prepared).await?;
    let part = i64::try_from(context.plan.backlog / PARTS)?;
    let mut done = running.last_position().await?;
    let mut goal = 0;
    for _ in 0..PARTS {
        goal += part;
        // A small backlog's first part may be done while the server comes up.
        if done >= goal {
            continue;
        }
        let (from, start) = (done, Instant::now());
        let before = (cpu_of_tree(running.pid()), running.helper().map_or(0.0, cpu_of_tree));
        let mut progress = Instant::now();
        while done < goal {
            sleep(LOOK).await;
            let now = running.last_position().await?;
            if now > done {
                (done, progress) = (now, Instant::now());
            }
            anyhow::ensure!(progress.elapsed() < PATIENCE, "the relay comes no further than {done}");
        }
        let seconds = start.elapsed().as_secs_f64();
        record.add(TIDEWATCH, "rate", (done - from) as f64 / seconds);
        record.add(TIDEWATCH, "rss", memory_of_tree(running.pid()) as f64 / f64::from(1 << 20));
        record.add(TIDEWATCH, "server", (cpu_of_tree(running.pid()) - before.0) / seconds);
        let helper = running.helper().map_or(0.0, cpu_of_tree) - before.1;
        record.add(TIDEWATCH, "helper", helper / seconds);
        record.add(TIDEWATCH, "backlog", context.plan.backlog as f64);
    }
    Box::new(running).stop().await;
    Ok(())
}
