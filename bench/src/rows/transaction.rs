//! Row 6: what it costs a business transaction to record its event.

use std::time::Duration;

use anyhow::{Context as _, Result};
use futures::future::try_join_all;
use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgConnection, PgPool};
use tidewatch_events::ProjectId;
use tidewatch_outbox::{Outbox, Waker, set_project_statement};
use time::OffsetDateTime;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::context::Context;
use crate::cores::run_on_core;
use crate::event::{BenchEvent, EVENT_TYPE};
use crate::report::{Check, Column, Record, RowSpec, Target};
use crate::systems::{TIDEWATCH, Tidewatch};

const CLIENTS: [usize; 2] = [8, 32];
const BUSINESS_ALONE: &str = "business row alone";
const BARE: &str = "both rows, bare";
const WARM_UP: Duration = Duration::from_millis(300);

const COLUMNS: &[Column] = &[Column::new("rate", "transactions/s", 0)];

pub(super) const SPECS: &[RowSpec] = &[
    RowSpec {
        id: "transaction-8",
        title: "6a. A transaction with `record`, 8 clients",
        columns: COLUMNS,
        compared: "rate",
        checks: &[Check { metric: "rate", of: TIDEWATCH, target: Target::RatioAtLeast(BARE, 0.95) }],
    },
    RowSpec {
        id: "transaction-32",
        title: "6b. A transaction with `record`, 32 clients",
        columns: COLUMNS,
        compared: "rate",
        checks: &[Check { metric: "rate", of: TIDEWATCH, target: Target::RatioAtLeast(BARE, 0.95) }],
    },
];

/// What a transaction writes, and by what.
#[derive(Debug, Clone, Copy)]
enum Way {
    BusinessAlone,
    Bare,
    Record,
}

const WAYS: [(&str, Way); 3] =
    [(BUSINESS_ALONE, Way::BusinessAlone), (BARE, Way::Bare), (TIDEWATCH, Way::Record)];

pub(super) async fn measure(context: &Context) -> Result<Vec<Record>> {
    let prepared = Tidewatch::new(context.database.clone()).prepare(context).await?;
    let options: PgConnectOptions = prepared.url.parse()?;
    let pool = PgPoolOptions::new().max_connections(40).connect_with(options.clone()).await?;
    sqlx::raw_sql(
        "create table purchases (id uuid primary key, project_id uuid not null, amount bigint not null)",
    )
    .execute(&pool)
    .await?;
    let waker = Waker::default();
    let shutdown = CancellationToken::new();
    tokio::spawn(waker.clone().run(options, shutdown.clone()));
    let bench =
        Bench { context, pool: pool.clone(), outbox: Outbox::new(pool, waker), project: prepared.project };

    // No server runs: the clients take its core, Postgres stays where it is.
    run_on_core(&context.cores.server)?;
    let measured = bench.measure().await;
    run_on_core(&context.cores.generator)?;
    shutdown.cancel();
    bench.pool.close().await;
    measured
}

struct Bench<'a> {
    context: &'a Context,
    pool: PgPool,
    outbox: Outbox,
    project: ProjectId,
}

impl Bench<'_> {
    async fn measure(&self) -> Result<Vec<Record>> {
        let runs = self.context.plan.runs;
        let mut records: Vec<Record> = SPECS.iter().map(|spec| Record::new(spec.id, runs)).collect();
        for run in 1..=runs {
            for (record, clients) in records.iter_mut().zip(CLIENTS) {
                for (name, way) in WAYS {
                    tracing::info!(run, of = runs, clients, "{name}");
                    sqlx::raw_sql("truncate purchases, domain_events").execute(&self.pool).await?;
                    self.rate(clients, way, WARM_UP).await?;
                    record.add(name, "rate", self.rate(clients, way, self.context.plan.transactions).await?);
                }
            }
        }
        Ok(records)
    }

    async fn rate(&self, clients: usize, way: Way, duration: Duration) -> Result<f64> {
        let start = Instant::now();
        let end = start + duration;
        let counts = try_join_all((0..clients).map(async |_| {
            let mut count = 0u64;
            while Instant::now() < end {
                self.transaction(way).await?;
                count += 1;
            }
            anyhow::Ok(count)
        }))
        .await?;
        Ok(counts.iter().sum::<u64>() as f64 / start.elapsed().as_secs_f64())
    }

    async fn transaction(&self, way: Way) -> Result<()> {
        let event = BenchEvent { number: self.context.clock.next_number(), topic: None };
        match way {
            Way::BusinessAlone => {
                let mut transaction = self.begin().await?;
                insert_purchase(&mut transaction, self.project).await?;
                transaction.commit().await?;
            }
            Way::Bare => {
                let mut transaction = self.begin().await?;
                insert_purchase(&mut transaction, self.project).await?;
                insert_event(&mut transaction, event, self.project).await?;
                transaction.commit().await?;
            }
            Way::Record => {
                let mut transaction = self.outbox.begin(self.project).await?;
                insert_purchase(&mut transaction, self.project).await?;
                transaction.record(event.recorded(self.project)).await?;
                transaction.commit().await?;
            }
        }
        Ok(())
    }

    /// Begins as the outbox does, with the project named: every request's transaction does so,
    /// whether it records or not.
    async fn begin(&self) -> Result<sqlx::Transaction<'static, sqlx::Postgres>> {
        let begin = format!("begin; {}", set_project_statement(self.project));
        self.pool.begin_with(sqlx::AssertSqlSafe(begin)).await.context("no transaction")
    }
}

async fn insert_purchase(connection: &mut PgConnection, project: ProjectId) -> Result<()> {
    sqlx::query("insert into purchases (id, project_id, amount) values ($1, $2, $3)")
        .bind(Uuid::now_v7())
        .bind(project.uuid())
        .bind(1_248_050_i64)
        .execute(connection)
        .await?;
    Ok(())
}

/// The very row that `record` writes, by an INSERT that somebody would write by hand.
async fn insert_event(connection: &mut PgConnection, event: BenchEvent, project: ProjectId) -> Result<()> {
    let recorded = event.recorded(project);
    let permissions: Vec<String> = recorded.routing.permissions.iter().map(ToString::to_string).collect();
    sqlx::query(
        "insert into domain_events
             (event_id, project_id, event_type, aggregate_type, aggregate_id, aggregate_version, occurred_at,
              payload, metadata, permissions)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(Uuid::now_v7())
    .bind(project.uuid())
    .bind(EVENT_TYPE.as_str())
    .bind(recorded.aggregate_type.as_str())
    .bind(recorded.aggregate_id)
    .bind(recorded.aggregate_version)
    .bind(OffsetDateTime::now_utc())
    .bind(recorded.payload)
    .bind(json!({}))
    .bind(permissions)
    .execute(connection)
    .await?;
    Ok(())
}
