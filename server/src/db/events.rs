//! Searches in the published log. Whatever is read is what the subject may see (`visible_to`), and what the
//! query asks for, as far as Postgres can say it; the rest is for `EventQuery::matches`.

use sqlx::{PgConnection, Postgres, QueryBuilder};
use tidewatch_app::model::EventQuery;
use tidewatch_events::filter::TypePattern;
use tidewatch_events::{Event, Position, ProjectId, Subject, Timestamp};
use tidewatch_outbox::{EVENT_COLUMNS, PublishedRow};

use super::visibility::SubjectColumns;

/// Most kinds that are looked up one by one.
const MOST_KINDS: i64 = 1_000;

/// Where a search looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// At every event from this position on.
    Walk(Position),
    /// At events of one thing, which is one of these kinds.
    Aggregate(Vec<String>),
    /// At all events of a time in which few occurred.
    Time,
}

/// Some events, newest first.
#[derive(Debug)]
pub struct Batch {
    /// The events.
    pub events: Vec<Event>,
    /// The source holds more before this position; `None`: it was read to its end.
    pub rest: Option<Position>,
}

/// Who searches, and for what.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Who.
    pub subject: &'a Subject,
    /// For what; its place in the stream is for the caller to say.
    pub query: &'a EventQuery,
    /// Most events.
    pub limit: usize,
}

fn number(position: Position) -> i64 {
    i64::try_from(position.get()).unwrap_or(i64::MAX)
}

fn position(number: i64) -> Position {
    u64::try_from(number).ok().and_then(Position::new).unwrap_or(Position::START)
}

/// Lets no statement of this transaction take longer.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn limit_statements(connection: &mut PgConnection, millis: u32) -> Result<(), sqlx::Error> {
    let limit = format!("{millis}ms");
    sqlx::query("select set_config('statement_timeout', $1, true)")
        .bind(limit)
        .execute(connection)
        .await
        .map(drop)
}

/// The newest events before a position that a source has.
///
/// # Errors
/// Postgres refused, took too long or could not be reached.
pub async fn read(
    connection: &mut PgConnection,
    wanted: Wanted<'_>,
    source: &Source,
    before: Position,
) -> Result<Batch, sqlx::Error> {
    let limit = i64::try_from(wanted.limit).unwrap_or(i64::MAX);
    let project = wanted.subject.project_id.uuid();
    let mut query = select();
    match source {
        Source::Walk(from) => {
            query.push(" from domain_events where project_id = ").push_bind(project);
            query.push(" and position >= ").push_bind(number(*from));
            query.push(" and position < ").push_bind(number(before));
            push_filter(&mut query, wanted);
            query.push(" order by position desc");
        }
        // An order that no index has: what is narrow enough to be sorted is not to be found by walking.
        Source::Aggregate(kinds) => {
            query.push(" from domain_events where project_id = ").push_bind(project);
            query
                .push(" and aggregate_type = any(")
                .push_bind(kinds.clone())
                .push(") and position is not null");
            query.push(" and position + 0 < ").push_bind(number(before));
            push_filter(&mut query, wanted);
            query.push(" order by position + 0 desc");
        }
        Source::Time => {
            query.push(" from domain_events where project_id = ").push_bind(project);
            query.push(" and position is not null and position + 0 < ").push_bind(number(before));
            push_filter(&mut query, wanted);
            query.push(" order by position + 0 desc");
        }
    }
    query.push(" limit ").push_bind(limit);
    let rows: Vec<PublishedRow> = query.build_query_as().fetch_all(connection).await?;
    let events: Vec<Event> = rows.into_iter().map(|row| row.0).collect();
    let is_full = events.len() >= wanted.limit;
    let rest = events.last().filter(|_| is_full).map(|last| last.envelope.position);
    Ok(Batch { events, rest })
}

fn select() -> QueryBuilder<Postgres> {
    QueryBuilder::new(format!("select {EVENT_COLUMNS}"))
}

fn push_filter(query: &mut QueryBuilder<Postgres>, wanted: Wanted<'_>) {
    let Wanted { subject, query: asked, .. } = wanted;
    if !asked.types.is_empty() && !asked.types.contains(&TypePattern::Any) {
        query.push(" and (false");
        for pattern in &asked.types {
            match pattern {
                TypePattern::Exact(exact) => query.push(" or event_type = ").push_bind(exact.to_string()),
                TypePattern::Prefix(beginning) => {
                    query.push(" or starts_with(event_type, ").push_bind(beginning.clone()).push(")")
                }
                TypePattern::Any => query.push(" or true"),
            };
        }
        query.push(")");
    }
    if !asked.resource_types.is_empty() {
        let kinds: Vec<String> = asked.resource_types.iter().map(ToString::to_string).collect();
        query.push(" and aggregate_type = any(").push_bind(kinds).push(")");
    }
    if let Some(id) = &asked.resource_id {
        query.push(" and aggregate_id = ").push_bind(id.clone());
    }
    if let Some(actor) = &asked.actor {
        query.push(" and metadata ->> 'actor' = ").push_bind(actor.to_string());
    }
    if let Some(id) = &asked.correlation_id {
        query.push(" and metadata ->> 'correlationId' = ").push_bind(id.clone());
    }
    if let Some(from) = asked.from {
        query.push(" and occurred_at >= ").push_bind(from.into_inner());
    }
    if let Some(to) = asked.to {
        query.push(" and occurred_at < ").push_bind(to.into_inner());
    }
    let certain = asked.q.as_ref().map_or("", |text| text.certain_part());
    if !certain.is_empty() {
        // By bytes: whatever the database's language, it folds what the program folds.
        query
            .push(" and strpos(lower(payload::text collate \"C\"), ")
            .push_bind(certain.to_owned())
            .push(") > 0");
    }
    let SubjectColumns { held, names } = subject.into();
    query.push(" and visible_to(permissions, audience, ").push_bind(held).push(", ");
    query.push_bind(names).push(")");
}

/// The kinds of things that events of the project happened to; `None`: more than can be stepped through.
///
/// # Errors
/// Postgres refused, took too long or could not be reached.
pub async fn aggregate_types(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Option<Vec<String>>, sqlx::Error> {
    let kinds: Vec<String> = sqlx::query_scalar(
        "with recursive kinds (kind) as (
             (select aggregate_type from domain_events where project_id = $1 order by aggregate_type limit 1)
             union all
             select (select aggregate_type from domain_events
                     where project_id = $1 and aggregate_type > kinds.kind
                     order by aggregate_type limit 1)
             from kinds where kinds.kind is not null
         )
         select kind from kinds where kind is not null limit $2",
    )
    .bind(project.uuid())
    .bind(MOST_KINDS + 1)
    .fetch_all(connection)
    .await?;
    Ok(Some(kinds).filter(|kinds| i64::try_from(kinds.len()).is_ok_and(|count| count <= MOST_KINDS)))
}

/// Whether at most so many events occurred in a time.
///
/// # Errors
/// Postgres refused, took too long or could not be reached.
pub async fn is_narrow(
    connection: &mut PgConnection,
    project: ProjectId,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    most: u32,
) -> Result<bool, sqlx::Error> {
    let counted: i64 = sqlx::query_scalar(
        "select count(*) from (
             select from domain_events
             where project_id = $1 and position is not null
               and occurred_at >= coalesce($2, '-infinity') and occurred_at < coalesce($3, 'infinity')
             limit $4
         ) few",
    )
    .bind(project.uuid())
    .bind(from.map(Timestamp::into_inner))
    .bind(to.map(Timestamp::into_inner))
    .bind(i64::from(most) + 1)
    .fetch_one(connection)
    .await?;
    Ok(counted <= i64::from(most))
}

/// The position of the last event that was published by a time, found by halving: positions are dense, and
/// grow with the time of publishing.
///
/// # Errors
/// Postgres refused, took too long or could not be reached.
pub async fn position_at(
    connection: &mut PgConnection,
    project: ProjectId,
    time: Timestamp,
) -> Result<Position, sqlx::Error> {
    let found: Option<i64> = sqlx::query_scalar(
        "with recursive halves (low, high) as (
             select oldest_position - 1, last_position from project_streams where project_id = $1
             union all
             select case when middle.published_at <= $2 then middle.position else low end,
                    case when middle.published_at <= $2 then high else middle.position - 1 end
             from halves, lateral (
                 select position, published_at from domain_events
                 where project_id = $1 and position = (low + high + 1) / 2
                 limit 1
             ) middle
             where low < high
         )
         select low from halves order by high - low limit 1",
    )
    .bind(project.uuid())
    .bind(time.into_inner())
    .fetch_optional(connection)
    .await?;
    Ok(found.map_or(Position::START, position))
}

/// How many things of each kind stood where: what the `status` of the latest event of each says among those
/// behind `after` and up to `through` that the subject may see.
///
/// # Errors
/// Postgres refused, took too long or could not be reached.
pub async fn board(
    connection: &mut PgConnection,
    subject: &Subject,
    after: Position,
    through: Position,
    most: u32,
) -> Result<Vec<(String, String, i64)>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_as(
        "select aggregate_type, status, count(*) from (
             select distinct on (aggregate_type, aggregate_id) aggregate_type,
                    case jsonb_typeof(payload -> 'status') when 'string' then left(payload ->> 'status', 100) end as status
             from domain_events
             where project_id = $1 and position > $2 and position <= $3
               and visible_to(permissions, audience, $4, $5)
             order by aggregate_type, aggregate_id, aggregate_version desc
         ) latest
         where status is not null
         group by 1, 2 order by 1, 3 desc, 2 limit $6",
    )
    .bind(subject.project_id.uuid())
    .bind(number(after))
    .bind(number(through))
    .bind(held)
    .bind(names)
    .bind(i64::from(most))
    .fetch_all(connection)
    .await
}
