//! The table `webhook_attempts`.

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::WebhookAttempt;
use tidewatch_events::id::WebhookDeliveryId;
use tidewatch_events::{ProjectId, Timestamp};
use time::OffsetDateTime;

/// What is written of an attempt.
#[derive(Debug)]
pub struct NewAttempt<'a> {
    /// Which time it is, from 1.
    pub number: i32,
    /// How long it took, in milliseconds.
    pub duration_ms: i32,
    /// What the endpoint answered.
    pub status: Option<u16>,
    /// Why it was not taken.
    pub error: Option<&'a str>,
    /// The beginning of the answer's body.
    pub excerpt: &'a str,
}

/// Writes an attempt.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    delivery: WebhookDeliveryId,
    new: &NewAttempt<'_>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into webhook_attempts (delivery_id, number, project_id, duration_ms, status, error, excerpt)
         values ($1, $2, $3, $4, $5, left($6, 2000), left($7, 4096))",
    )
    .bind(delivery.uuid())
    .bind(new.number)
    .bind(project.uuid())
    .bind(new.duration_ms)
    .bind(new.status.map(i32::from))
    .bind(new.error)
    .bind(new.excerpt)
    .execute(connection)
    .await
    .map(drop)
}

#[derive(FromRow)]
struct AttemptRow {
    number: i32,
    at: OffsetDateTime,
    duration_ms: i32,
    status: Option<i32>,
    error: Option<String>,
    excerpt: String,
}

impl From<AttemptRow> for WebhookAttempt {
    fn from(row: AttemptRow) -> Self {
        Self {
            number: row.number.unsigned_abs(),
            at: Timestamp::from(row.at),
            duration_ms: row.duration_ms.unsigned_abs().into(),
            status: row.status.and_then(|status| u16::try_from(status).ok()),
            error: row.error,
            excerpt: row.excerpt,
        }
    }
}

/// Each attempt of a delivery, the first one first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
    delivery: WebhookDeliveryId,
) -> Result<Vec<WebhookAttempt>, sqlx::Error> {
    let rows: Vec<AttemptRow> = sqlx::query_as(
        "select number, at, duration_ms, status, error, excerpt from webhook_attempts
         where project_id = $1 and delivery_id = $2 order by number",
    )
    .bind(project.uuid())
    .bind(delivery.uuid())
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}
