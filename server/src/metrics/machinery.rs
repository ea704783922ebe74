//! What Postgres says of the machinery that all instances share: looked at by each of them, now and then.

use std::time::Duration;

use sqlx::PgPool;
use tidewatch_events::job::JobState;
use tidewatch_jobs::JobCount;
use tidewatch_outbox::LEADER_LOCK;
use tokio_util::sync::CancellationToken;

use super::Metrics;
use crate::db;

/// How often to look.
const EVERY: Duration = Duration::from_secs(10);
/// Jobs that are measured: those that are done, or planned, need nobody.
const JOBS: [JobState; 3] = [JobState::Waiting, JobState::Running, JobState::Dead];
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// What was seen.
#[derive(Debug, Clone)]
pub(super) struct Machinery {
    /// Events that wait to be published, counted up to a limit.
    pub(super) pending: i64,
    /// How long the oldest of them has waited.
    pub(super) lag_seconds: f64,
    /// Whether somebody publishes.
    pub(super) has_leader: bool,
    /// Jobs by queue and state.
    pub(super) jobs: Vec<JobCount>,
    /// Endpoints of webhooks that take nothing.
    pub(super) failing_webhooks: i64,
    /// What the witness found in its last run in each project.
    pub(super) drifts: i64,
    /// Connections to Postgres, of everybody.
    pub(super) connections: i64,
    /// The most that it takes.
    pub(super) max_connections: i64,
    /// How long the oldest transaction of this database is open.
    pub(super) oldest_transaction_seconds: f64,
}

/// Looks until `shutdown`.
pub async fn watch(metrics: Metrics, pool: PgPool, shutdown: CancellationToken) {
    loop {
        match tokio::time::timeout(PATIENCE, look(&pool)).await {
            Ok(Ok(machinery)) => metrics.machinery_seen(Some(machinery)),
            Ok(Err(error)) => {
                tracing::debug!(%error, "cannot look at the machinery");
                metrics.machinery_seen(None);
            }
            Err(_) => metrics.machinery_seen(None),
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

async fn look(pool: &PgPool) -> Result<Machinery, sqlx::Error> {
    let mut connection = pool.acquire().await?;
    let database = db::system::database(&mut connection).await?;
    let lag_ms = db::overview::outbox_lag_ms(&mut connection).await?.unwrap_or_default();
    Ok(Machinery {
        pending: db::system::waiting_events(&mut connection).await?,
        lag_seconds: seconds(lag_ms),
        has_leader: db::system::leader(&mut connection, LEADER_LOCK).await?.is_some(),
        jobs: tidewatch_jobs::counts_of(&mut connection, &JOBS).await?,
        failing_webhooks: db::system::failing_webhooks(&mut connection).await?,
        drifts: db::witness_runs::drifts(&mut connection).await?,
        connections: database.connections,
        max_connections: i64::from(database.max_connections),
        oldest_transaction_seconds: seconds(database.oldest_transaction_ms.unwrap_or_default()),
    })
}

fn seconds(milliseconds: i64) -> f64 {
    Duration::from_millis(milliseconds.max(0).unsigned_abs()).as_secs_f64()
}
