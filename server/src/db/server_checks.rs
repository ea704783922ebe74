//! The table `server_checks`: every check of the last days, also those that changed nothing.

use sqlx::{FromRow, PgConnection, PgPool};
use tidewatch_app::model::ServerCheck;
use tidewatch_events::id::ServerId;
use tidewatch_events::{ProjectId, Timestamp};
use time::OffsetDateTime;

use crate::checks::Checked;

/// For how long checks are kept.
const KEEP: time::Duration = time::Duration::days(7);
/// Most checks that are forgotten in one statement.
const BATCH: i64 = 10_000;

/// Notes a check.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    server: ServerId,
    checked: &Checked,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into server_checks (project_id, server_id, checked_at, ok, latency_ms, error)
         values ($1, $2, clock_timestamp(), $3, $4, $5)",
    )
    .bind(project.uuid())
    .bind(server.uuid())
    .bind(checked.error.is_none())
    .bind(checked.latency_ms)
    .bind(&checked.error)
    .execute(connection)
    .await
    .map(drop)
}

#[derive(FromRow)]
struct CheckRow {
    checked_at: OffsetDateTime,
    ok: bool,
    latency_ms: Option<i64>,
    error: Option<String>,
}

impl From<CheckRow> for ServerCheck {
    fn from(row: CheckRow) -> Self {
        Self {
            checked_at: Timestamp::from(row.checked_at),
            ok: row.ok,
            latency_ms: row.latency_ms,
            error: row.error,
        }
    }
}

/// The last checks of a server, newest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn latest(
    connection: &mut PgConnection,
    project: ProjectId,
    server: ServerId,
    limit: u32,
) -> Result<Vec<ServerCheck>, sqlx::Error> {
    let rows: Vec<CheckRow> = sqlx::query_as(
        "select checked_at, ok, latency_ms, error from server_checks
         where project_id = $1 and server_id = $2 order by checked_at desc limit $3",
    )
    .bind(project.uuid())
    .bind(server.uuid())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Forgets the checks that are older than 7 days, some at a time, and says how many those were.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn forget_old(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let before = OffsetDateTime::now_utc() - KEEP;
    let mut forgotten = 0;
    loop {
        let part = sqlx::query(
            "delete from server_checks where (server_id, checked_at) in (
                 select server_id, checked_at from server_checks where checked_at < $1
                 order by checked_at limit $2)",
        )
        .bind(before)
        .bind(BATCH)
        .execute(pool)
        .await?
        .rows_affected();
        forgotten += part;
        if part < BATCH.unsigned_abs() {
            return Ok(forgotten);
        }
    }
}
