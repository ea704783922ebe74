//! What is known of channels, which have no table: who listens, and what went out.

use sqlx::{FromRow, PgConnection};
use tidewatch_events::ProjectId;
use time::OffsetDateTime;

/// Most channels of a list.
const MOST: i64 = 1_000;
/// The newest events among which activity is looked for. There is no index by channel, which every
/// event would pay for.
const NEWEST: i64 = 10_000;

/// How many connections listen to each channel of a project: name and count, most first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn listeners(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Vec<(String, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select channel, count(*) from connections, unnest(channels) as channel
         where project_id = $1 group by channel order by count(*) desc, channel limit $2",
    )
    .bind(project.uuid())
    .bind(MOST)
    .fetch_all(connection)
    .await
}

/// What went out on a channel lately.
#[derive(Debug, FromRow)]
pub struct Activity {
    /// The channel's name.
    pub channel: String,
    /// Events of the last minute.
    pub last_minute: i64,
    /// When the last one happened.
    pub last_event_at: OffsetDateTime,
}

/// What went out on each channel, among the project's newest 10,000 events.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn activity(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Vec<Activity>, sqlx::Error> {
    sqlx::query_as(
        "select channel, count(*) filter (where published_at > now() - interval '1 minute') as last_minute,
                max(occurred_at) as last_event_at
         from (
             -- By order and number: of a comparison with what another table says Postgres knows no estimate, and reads
             -- the log to its end.
             select channels, occurred_at, published_at from domain_events
             where project_id = $1 and position is not null
             order by position desc limit $2
         ) e, unnest(e.channels) as channel
         group by channel order by max(occurred_at) desc limit $3",
    )
    .bind(project.uuid())
    .bind(NEWEST)
    .bind(MOST)
    .fetch_all(connection)
    .await
}
