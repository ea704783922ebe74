//! Tidewatch's own queue: `tidewatch-jobs` on a database with the schema of the server.

use async_trait::async_trait;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection};
use tidewatch_jobs::{NewJob, Waker, enqueue, enqueue_all};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::job::jobs;
use super::{Queue, Reports, RunningQueue};
use crate::child::{Child, Program};
use crate::context::Context;
use crate::systems::TIDEWATCH;

pub(super) struct TidewatchJobs;

#[async_trait(?Send)]
impl Queue for TidewatchJobs {
    fn name(&self) -> &'static str {
        TIDEWATCH
    }

    fn missing(&self, _: &Context) -> Option<String> {
        None
    }

    async fn start(&self, context: &Context, reports: &Reports) -> anyhow::Result<Box<dyn RunningQueue>> {
        let url = context.database.create("bench_jobs").await?;
        let options: PgConnectOptions = url.parse()?;
        let mut connection = PgConnection::connect_with(&options).await?;
        // By the files, not by the server: a given binary may not know the queue.
        let migrations = Migrator::new(context.bench_folder.join("../migrations")).await?;
        migrations.run(&mut connection).await?;
        let program = Program::new(&context.this_program)
            .argument("worker")
            .argument(reports.address()?.to_string())
            .variable("DATABASE_URL", url);
        let child = Child::start(&context.cores.server, &program, context.log("jobs"))?;
        reports.next().await?;
        let (waker, shutdown) = (Waker::default(), CancellationToken::new());
        tokio::spawn(waker.clone().run(options, shutdown.clone()));
        Ok(Box::new(Running { child, connection, waker, _shutdown: shutdown.drop_guard() }))
    }
}

struct Running {
    child: Child,
    connection: PgConnection,
    waker: Waker,
    _shutdown: DropGuard,
}

#[async_trait(?Send)]
impl RunningQueue for Running {
    fn pid(&self) -> u32 {
        self.child.pid()
    }

    async fn enqueue(&mut self, count: usize) -> anyhow::Result<()> {
        let mut transaction = self.connection.begin().await?;
        let mut new = jobs(count).map(|job| NewJob::of(&job)).collect::<Result<Vec<_>, _>>()?;
        if count > 1 {
            enqueue_all(&mut transaction, &new).await?;
        } else if let Some(job) = new.pop() {
            enqueue(&mut transaction, job).await?;
        }
        transaction.commit().await?;
        self.waker.wake_workers();
        Ok(())
    }

    async fn is_busy(&mut self) -> anyhow::Result<bool> {
        let busy =
            sqlx::query_scalar("select exists (select from jobs where state in ('waiting', 'running'))");
        Ok(busy.fetch_one(&mut self.connection).await?)
    }

    async fn analyze(&mut self) -> anyhow::Result<()> {
        sqlx::raw_sql("vacuum analyze jobs").execute(&mut self.connection).await?;
        Ok(())
    }

    async fn stop(self: Box<Self>) {
        self.child.stop().await;
    }
}
