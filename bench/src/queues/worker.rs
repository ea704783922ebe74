//! A process of Tidewatch's workers; the benchmark starts it itself (`tidewatch-bench worker`).

use std::net::{SocketAddr, UdpSocket};

use clap::Args;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use tidewatch_jobs::{Handler, JobContext, JobError, Registry, Waker, WorkerOptions, Workers};
use tokio_util::sync::CancellationToken;

use super::CONCURRENCY;
use super::job::{BenchJob, now};

/// Connections of a process of workers: three of their own, and one for looks.
const CONNECTIONS: u32 = 4;

/// Be a process of Tidewatch's workers.
#[derive(Debug, Args)]
pub struct Worker {
    /// Where its handlers report
    reports: SocketAddr,

    /// Its database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database_url: String,
}

impl Worker {
    /// Works until it is killed, with the settings of the server but for the concurrency.
    ///
    /// # Errors
    /// Postgres cannot be reached.
    #[tokio::main]
    pub async fn carry_out(self) -> anyhow::Result<()> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.connect(self.reports)?;
        let options: PgConnectOptions = self.database_url.parse()?;
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).connect_with(options.clone()).await?;
        let (waker, shutdown) = (Waker::default(), CancellationToken::new());
        tokio::spawn(waker.clone().run(options, shutdown.clone()));
        let up = Reporter(socket.try_clone()?);
        let registry = Registry::new().with(Reporter(socket));
        let workers = WorkerOptions { concurrency: CONCURRENCY, ..WorkerOptions::default() };
        up.report(0)?;
        Workers::new(pool, workers, registry).woken_by(waker).run(shutdown).await;
        Ok(())
    }
}

struct Reporter(UdpSocket);

impl Reporter {
    fn report(&self, delay: u64) -> std::io::Result<()> {
        self.0.send(delay.to_string().as_bytes()).map(drop)
    }
}

impl Handler for Reporter {
    type Payload = BenchJob;

    async fn run(&self, _: &JobContext, payload: BenchJob) -> Result<(), JobError> {
        let delay = now().saturating_sub(payload.sent_at);
        if payload.report {
            self.report(delay)?;
        }
        Ok(())
    }
}
