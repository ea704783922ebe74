//! The published log: events by position.

use std::time::SystemTime;

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, PgPool, Row};
use tidewatch_events::position::Epoch;
use tidewatch_events::{Channel, Event, EventId, Position, ProjectId, Timestamp};
use time::OffsetDateTime;

use crate::row::{PublishedRow, event_columns};

/// How far a project's stream goes, and how far back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamHead {
    /// Which history the positions count.
    pub epoch: Epoch,
    /// The newest published event's position; [`Position::START`] when there is none.
    pub last: Position,
    /// Events at or above it are kept.
    pub oldest: Position,
}

/// A part of the log.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// Events in the order of positions, without holes.
    pub events: Vec<Event>,
    /// Everything at or above it is kept. It is the oldest position of all where the page does not go on
    /// right behind the place that was asked for, and at most that of its first event where it does.
    pub oldest: Position,
}

/// Reads published events. Cheap to clone.
#[derive(Debug, Clone)]
pub struct PublishedLog {
    pool: PgPool,
}

fn position(number: i64) -> Position {
    u64::try_from(number).ok().and_then(Position::new).unwrap_or(Position::START)
}

fn number(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

/// The head of a project's stream as this connection's transaction sees it. Read in one
/// repeatable-read transaction with the data of a page, it is the position from which that page
/// can go live without a gap.
///
/// A project that never published stands before its first event.
///
/// # Errors
/// Postgres could not be reached or refused.
pub async fn read_head(connection: &mut PgConnection, project: ProjectId) -> Result<StreamHead, sqlx::Error> {
    let row: Option<(i64, i64, i64)> = sqlx::query_as(
        "select epoch, last_position, oldest_position from project_streams where project_id = $1",
    )
    .bind(project.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(row.map_or(
        StreamHead { epoch: Epoch::default(), last: Position::START, oldest: Position::START.next() },
        |(epoch, last, oldest)| StreamHead {
            epoch: Epoch(u32::try_from(epoch).unwrap_or_default()),
            last: position(last),
            oldest: position(oldest),
        },
    ))
}

impl PublishedLog {
    /// A reader of the log over this pool.
    #[must_use]
    pub const fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    /// How far the project's stream goes.
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn head(&self, project: ProjectId) -> Result<StreamHead, sqlx::Error> {
        read_head(&mut *self.pool.acquire().await?, project).await
    }

    /// The stream of every project that has one.
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn heads(&self) -> Result<Vec<(ProjectId, StreamHead)>, sqlx::Error> {
        let rows: Vec<(uuid::Uuid, i64, i64, i64)> =
            sqlx::query_as("select project_id, epoch, last_position, oldest_position from project_streams")
                .fetch_all(&self.pool)
                .await?;
        Ok(rows
            .into_iter()
            .map(|(project, epoch, last, oldest)| {
                let epoch = Epoch(u32::try_from(epoch).unwrap_or_default());
                let head = StreamHead { epoch, last: position(last), oldest: position(oldest) };
                (ProjectId::from_uuid(project), head)
            })
            .collect())
    }

    /// At most `limit` events right behind `after`, in order and without holes, with the oldest
    /// position kept. When `after` lies before that, the reader has missed events for good; the
    /// page then begins with the oldest ones.
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn read(
        &self,
        project: ProjectId,
        after: Position,
        limit: usize,
    ) -> Result<LogPage, sqlx::Error> {
        let mut connection = self.pool.acquire().await?;
        let rows: Vec<PublishedRow> = sqlx::query_as(concat!(
            "select ", event_columns!(), " from domain_events
             where project_id = $1
               -- Partitions are days, and positions cross midnight: a few events below the oldest
               -- position kept may still stand in the next day, with holes between them.
               and position > greatest($2, (select oldest_position - 1 from project_streams where project_id = $1))
             order by position limit $3"
        ))
        .bind(project.uuid())
        .bind(number(after))
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(&mut *connection)
        .await?;
        let events: Vec<Event> = rows.into_iter().map(|row| row.0).collect();
        let next = after.next();
        if events.first().is_some_and(|first| first.envelope.position == next) {
            return Ok(LogPage { events, oldest: next });
        }
        // Read second: whatever retention dropped meanwhile is told, never passed over.
        let oldest = read_head(&mut connection, project).await?.oldest;
        Ok(LogPage { events, oldest })
    }

    /// The position of a published event of this project; `None` when there is none (unknown,
    /// not yet published, dropped by retention, or another project's: those look the same).
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn position_of(
        &self,
        project: ProjectId,
        event: EventId,
    ) -> Result<Option<Position>, sqlx::Error> {
        let found: Option<i64> = sqlx::query_scalar(
            "select position from domain_events where event_id = $1 and project_id = $2 and position is not null",
        )
        .bind(event.uuid())
        .bind(project.uuid())
        .fetch_optional(&self.pool)
        .await?;
        Ok(found.map(position))
    }

    /// The position behind which lies every published event that occurred after `time`. Events
    /// that occurred earlier but were published among them come too: none is skipped.
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn position_before(
        &self,
        project: ProjectId,
        time: Timestamp,
    ) -> Result<Position, sqlx::Error> {
        // Before the search: what is published between the two lies behind this, not before it.
        let last = self.head(project).await?.last;
        let first: Option<i64> = sqlx::query_scalar(
            "select min(position) from domain_events
             where project_id = $1 and occurred_at > $2 and position is not null",
        )
        .bind(project.uuid())
        .bind(time.into_inner())
        .fetch_one(&self.pool)
        .await?;
        Ok(first.map_or(last, |first| position(first).previous()))
    }

    /// A published event of this project.
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn find(&self, project: ProjectId, event: EventId) -> Result<Option<Event>, sqlx::Error> {
        let row: Option<PublishedRow> = sqlx::query_as(concat!(
            "select ",
            event_columns!(),
            " from domain_events
             where event_id = $1 and project_id = $2 and position is not null"
        ))
        .bind(event.uuid())
        .bind(project.uuid())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| row.0))
    }

    /// Those of these events of this project that are published, in no order, each with when it was.
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn find_all(
        &self,
        project: ProjectId,
        events: &[EventId],
    ) -> Result<Vec<(Event, SystemTime)>, sqlx::Error> {
        let rows: Vec<PgRow> = sqlx::query(concat!(
            "select ",
            event_columns!(),
            ", published_at from domain_events
             where event_id = any($1) and project_id = $2 and position is not null"
        ))
        .bind(events.iter().map(|event| event.uuid()).collect::<Vec<_>>())
        .bind(project.uuid())
        .fetch_all(&self.pool)
        .await?;
        let found = rows.iter().map(|row| {
            let published_at: OffsetDateTime = row.try_get("published_at")?;
            Ok((PublishedRow::from_row(row)?.0, published_at.into()))
        });
        found.collect()
    }

    /// The newest `limit` published events, newest first.
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn newest(
        connection: &mut PgConnection,
        project: ProjectId,
        limit: usize,
    ) -> Result<Vec<Event>, sqlx::Error> {
        let rows: Vec<PublishedRow> = sqlx::query_as(concat!(
            "select ",
            event_columns!(),
            " from domain_events where project_id = $1 and position is not null order by position desc limit $2"
        ))
        .bind(project.uuid())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// The newest `limit` of a channel's events among the project's newest 10,000, newest first. There is
    /// no index by channel: every event would pay for it.
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn newest_on_channel(
        connection: &mut PgConnection,
        project: ProjectId,
        channel: &Channel,
        limit: usize,
    ) -> Result<Vec<Event>, sqlx::Error> {
        let rows: Vec<PublishedRow> = sqlx::query_as(concat!(
            "select ",
            event_columns!(),
            " from domain_events
             where project_id = $1 and channels @> array[$2]
               and position > (select last_position - 10000 from project_streams where project_id = $1)
             order by position desc limit $3"
        ))
        .bind(project.uuid())
        .bind(channel.to_string())
        .bind(i64::try_from(limit).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// The newest `limit` events of one aggregate that are published, oldest first.
    ///
    /// # Errors
    /// Postgres could not be reached or refused.
    pub async fn of_aggregate(
        connection: &mut PgConnection,
        project: ProjectId,
        aggregate_type: &tidewatch_events::AggregateType,
        aggregate_id: &str,
        limit: u32,
    ) -> Result<Vec<Event>, sqlx::Error> {
        let rows: Vec<PublishedRow> = sqlx::query_as(concat!(
            "select * from (
                 select ",
            event_columns!(),
            " from domain_events
                 where project_id = $1 and aggregate_type = $2 and aggregate_id = $3 and position is not null
                 order by aggregate_version desc limit $4
             ) newest order by aggregate_version"
        ))
        .bind(project.uuid())
        .bind(aggregate_type.as_str())
        .bind(aggregate_id)
        .bind(i64::from(limit))
        .fetch_all(connection)
        .await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}
