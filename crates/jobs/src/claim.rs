//! Claiming: what waits goes to one worker, with a lease.

use std::cmp::Reverse;
use std::time::Duration;

use sqlx::PgPool;
use tidewatch_events::id::JobId;
use tidewatch_events::{ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

/// One holding of a job. Its number is the fence: once the job is claimed again, nothing that names the old
/// number changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Lease {
    pub(crate) job: JobId,
    pub(crate) number: i64,
}

/// A job that this worker holds.
#[derive(Debug)]
pub(crate) struct Claimed {
    pub(crate) lease: Lease,
    pub(crate) project: Option<ProjectId>,
    pub(crate) kind: String,
    /// As text: a row that cannot be read must not take those with it that were claimed beside it.
    pub(crate) payload: String,
    pub(crate) attempt: u32,
    pub(crate) max_attempts: u32,
    pub(crate) enqueued_at: Timestamp,
    pub(crate) traceparent: Option<String>,
}

/// Who claims, and what.
#[derive(Debug)]
pub(crate) struct Claimer {
    pub(crate) pool: PgPool,
    pub(crate) queue: String,
    pub(crate) kinds: Vec<String>,
    pub(crate) name: String,
    pub(crate) lease: Duration,
}

#[derive(sqlx::FromRow)]
struct ClaimedRow {
    id: Uuid,
    project_id: Option<Uuid>,
    kind: String,
    payload: String,
    attempt: i32,
    max_attempts: i32,
    lease: i64,
    priority: i16,
    run_at: OffsetDateTime,
    created_at: OffsetDateTime,
    traceparent: Option<String>,
}

impl Claimer {
    /// At most `limit` jobs, the most urgent first. Each counts an attempt from here on.
    pub(crate) async fn claim(&self, limit: usize) -> Result<Vec<Claimed>, sqlx::Error> {
        // The array is made once, whatever the plan; as a join, the choice could be made again for each row
        // and more be locked than asked for.
        let mut rows: Vec<ClaimedRow> = sqlx::query_as(
            "update jobs
             set state = 'running', attempt = attempt + 1, lease = lease + 1, leased_by = $1,
                 leased_until = clock_timestamp() + make_interval(secs => $2), started_at = clock_timestamp()
             where id = any(array(
                 select id from jobs
                 where state = 'waiting' and queue = $3 and kind = any($4)
                 order by priority desc, run_at, id limit $5
                 for update skip locked))
             returning id, project_id, kind, payload::text, attempt, max_attempts, lease, priority, run_at,
                       created_at, traceparent",
        )
        .bind(&self.name)
        .bind(self.lease.as_secs_f64())
        .bind(&self.queue)
        .bind(&self.kinds)
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&self.pool)
        .await?;
        // An update returns its rows in any order.
        rows.sort_by_key(|row| (Reverse(row.priority), row.run_at, row.id));
        Ok(rows.into_iter().map(Claimed::from).collect())
    }
}

impl From<ClaimedRow> for Claimed {
    fn from(row: ClaimedRow) -> Self {
        Self {
            lease: Lease { job: JobId::from_uuid(row.id), number: row.lease },
            project: row.project_id.map(ProjectId::from_uuid),
            kind: row.kind,
            payload: row.payload,
            attempt: row.attempt.unsigned_abs(),
            max_attempts: row.max_attempts.unsigned_abs(),
            enqueued_at: Timestamp::from(row.created_at),
            traceparent: row.traceparent,
        }
    }
}
