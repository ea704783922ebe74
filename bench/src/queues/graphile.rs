//! graphile-worker on Node: as it comes, and with the settings by which its makers measure it.

use std::path::PathBuf;

use anyhow::Context as _;
use async_trait::async_trait;
use sqlx::{Connection, PgConnection};

use super::job::jobs;
use super::{CONCURRENCY, GRAPHILE, GRAPHILE_BATCHING, Queue, Reports, RunningQueue};
use crate::child::{Child, Program};
use crate::context::Context;

/// The application in `bench/peers/graphile-worker`, on a Node that its packages bring along.
pub(super) struct Graphile {
    /// Jobs that it fetches at once; then it completes them in batches, too.
    pub(super) local_queue: Option<u32>,
}

#[async_trait(?Send)]
impl Queue for Graphile {
    fn name(&self) -> &'static str {
        if self.local_queue.is_some() { GRAPHILE_BATCHING } else { GRAPHILE }
    }

    fn missing(&self, context: &Context) -> Option<String> {
        (!node(context).exists())
            .then(|| "its packages are not installed (npm ci in bench/peers/graphile-worker)".to_owned())
    }

    async fn start(&self, context: &Context, reports: &Reports) -> anyhow::Result<Box<dyn RunningQueue>> {
        let url = context.database.create("bench_graphile").await?;
        let (node, folder) = (node(context), folder(context));
        let mut program = Program::new(&node)
            .argument("worker.mjs")
            .variable("NODE_ENV", "production")
            // It logs each job otherwise.
            .variable("NO_LOG_SUCCESS", "1")
            .variable("DATABASE_URL", url.as_str())
            .variable("CONCURRENCY", CONCURRENCY.to_string())
            .variable("REPORTS", reports.address()?.to_string())
            .variable("LOCAL_QUEUE", self.local_queue.map_or_else(String::new, |size| size.to_string()));
        program.directory = Some(&folder);
        let child = Child::start(&context.cores.server, &program, context.log("graphile-worker"))?;
        // By then it has made its schema.
        reports.next().await?;
        let connection = PgConnection::connect(&url).await?;
        Ok(Box::new(Running { child, connection }))
    }
}

fn folder(context: &Context) -> PathBuf {
    context.bench_folder.join("peers/graphile-worker")
}

fn node(context: &Context) -> PathBuf {
    folder(context).join("node_modules/node/bin/node")
}

struct Running {
    child: Child,
    connection: PgConnection,
}

#[async_trait(?Send)]
impl RunningQueue for Running {
    fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// By its functions in SQL, which its own libraries call as well; both notify the workers at the commit.
    async fn enqueue(&mut self, count: usize) -> anyhow::Result<()> {
        let mut transaction = self.connection.begin().await?;
        if count > 1 {
            let specs: Vec<_> =
                jobs(count).map(|job| serde_json::json!({ "identifier": "bench", "payload": job })).collect();
            sqlx::query(
                "select * from graphile_worker.add_jobs(
                     array(select json_populate_recordset(null::graphile_worker.job_spec, $1::json)))",
            )
            .bind(serde_json::Value::from(specs))
            .execute(&mut *transaction)
            .await?;
        } else {
            let job = jobs(1).next().context("no job")?;
            sqlx::query("select * from graphile_worker.add_job('bench', $1::json)")
                .bind(serde_json::to_value(job)?)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    async fn is_busy(&mut self) -> anyhow::Result<bool> {
        let busy = sqlx::query_scalar("select exists (select from graphile_worker._private_jobs)");
        Ok(busy.fetch_one(&mut self.connection).await?)
    }

    async fn analyze(&mut self) -> anyhow::Result<()> {
        sqlx::raw_sql("vacuum analyze graphile_worker._private_jobs").execute(&mut self.connection).await?;
        Ok(())
    }

    async fn stop(self: Box<Self>) {
        self.child.stop().await;
    }
}
