//! The table `subscriptions`.

use serde_json::Value;
use sqlx::{FromRow, PgConnection};
use tidewatch_events::{Position, ProjectId};
use time::OffsetDateTime;

/// A durable subscription.
#[derive(Debug, Clone, FromRow)]
pub struct SubscriptionRow {
    /// Its name among its owner's.
    pub name: String,
    /// What it asks for.
    pub filter: Value,
    /// For how many seconds a delivered event is not delivered again.
    pub visibility_seconds: i32,
    /// Everything up to here is done.
    pub acknowledged: i64,
    /// Everything up to here was delivered.
    pub delivered: i64,
    /// From then on what is not acknowledged is delivered again.
    pub visible_again_at: Option<OffsetDateTime>,
}

impl SubscriptionRow {
    /// Behind which position the next delivery begins.
    #[must_use]
    pub fn next_after(&self, now: OffsetDateTime) -> i64 {
        match self.visible_again_at {
            Some(at) if at > now => self.delivered,
            _ => self.acknowledged,
        }
    }
}

/// A position as the database keeps it.
#[must_use]
pub fn number(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

/// Writes a new subscription; `false` when the owner has one of this name.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    owner: &str,
    new: &SubscriptionRow,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "insert into subscriptions (project_id, owner, name, filter, visibility_seconds, acknowledged, delivered)
         values ($1, $2, $3, $4, $5, $6, $6) on conflict do nothing",
    )
    .bind(project.uuid())
    .bind(owner)
    .bind(&new.name)
    .bind(&new.filter)
    .bind(new.visibility_seconds)
    .bind(new.acknowledged)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// The owner's subscriptions by name; with `only`, that one alone.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
    owner: &str,
    only: Option<&str>,
) -> Result<Vec<SubscriptionRow>, sqlx::Error> {
    sqlx::query_as(
        "select name, filter, visibility_seconds, acknowledged, delivered, visible_again_at from subscriptions
         where project_id = $1 and owner = $2 and ($3::text is null or name = $3) order by name",
    )
    .bind(project.uuid())
    .bind(owner)
    .bind(only)
    .fetch_all(connection)
    .await
}

/// One subscription, locked until the transaction ends.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock(
    connection: &mut PgConnection,
    project: ProjectId,
    owner: &str,
    name: &str,
) -> Result<Option<SubscriptionRow>, sqlx::Error> {
    sqlx::query_as(
        "select name, filter, visibility_seconds, acknowledged, delivered, visible_again_at from subscriptions
         where project_id = $1 and owner = $2 and name = $3 for update",
    )
    .bind(project.uuid())
    .bind(owner)
    .bind(name)
    .fetch_optional(connection)
    .await
}

/// Writes how far it has come.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn save(
    connection: &mut PgConnection,
    project: ProjectId,
    owner: &str,
    row: &SubscriptionRow,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update subscriptions set acknowledged = $4, delivered = $5, visible_again_at = $6
         where project_id = $1 and owner = $2 and name = $3",
    )
    .bind(project.uuid())
    .bind(owner)
    .bind(&row.name)
    .bind(row.acknowledged)
    .bind(row.delivered)
    .bind(row.visible_again_at)
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes a subscription; `false` when there is none.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete(
    connection: &mut PgConnection,
    project: ProjectId,
    owner: &str,
    name: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query("delete from subscriptions where project_id = $1 and owner = $2 and name = $3")
        .bind(project.uuid())
        .bind(owner)
        .bind(name)
        .execute(connection)
        .await?;
    Ok(done.rows_affected() == 1)
}
