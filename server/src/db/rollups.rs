//! Sums over the published log by steps of time: read as the subject may see them, and kept up to date.
//!
//! They reach up to a position ([`reach`]); what lies behind it is added out of the log, in the caller's snapshot.

use sqlx::PgConnection;
use tidewatch_events::{ProjectId, Subject, SubjectRef};
use tidewatch_modules::Module;
use time::{Duration, OffsetDateTime};

use super::column;
use super::visibility::SubjectColumns;
use crate::rollups::{LagClass, WIDTHS};

/// A part of the published log by time.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    /// Where it begins, a multiple of the width since 1970.
    pub from: OffsetDateTime,
    /// Where it ends; not part of it. A multiple as well.
    pub to: OffsetDateTime,
    /// How wide its steps are, in seconds: one of [`WIDTHS`].
    pub bucket_seconds: u32,
}

impl Window {
    /// When its steps begin, in their order.
    pub fn steps(self) -> impl Iterator<Item = OffsetDateTime> {
        let width = Duration::seconds(self.bucket_seconds.into());
        std::iter::successors(Some(self.from), move |from| Some(*from + width))
            .take_while(move |from| *from < self.to)
    }
}

/// Events of one step that waited about as long for their publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct EventSum {
    /// When the step begins.
    pub from: OffsetDateTime,
    /// How long they waited.
    #[sqlx(try_from = "i16")]
    pub lag_class: LagClass,
    /// How many there are.
    pub events: i64,
    /// Settlements created.
    pub created: i64,
    /// Settlements settled.
    pub settled: i64,
    /// Settlements failed.
    pub failed: i64,
    /// The longest wait among them, in milliseconds.
    pub lag_max_ms: i64,
}

/// What was settled in a window, in minor units.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct VolumeSum {
    /// The currency, as the events name it.
    pub currency: String,
    /// The network; `None` where they name none.
    pub network: Option<String>,
    /// How much.
    pub amount_minor: i64,
}

/// Up to which position the sums of a project go, as this transaction sees it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn reach(connection: &mut PgConnection, project: ProjectId) -> Result<i64, sqlx::Error> {
    let position = sqlx::query_scalar("select position from rollup_cursors where project_id = $1");
    Ok(position.bind(project.uuid()).fetch_optional(connection).await?.unwrap_or(0))
}

/// The beginning of both: the windows, the classes of what the subject may see, and the events behind the sums.
macro_rules! asked {
    ($columns:literal) => {
        concat!(
            "with asked as (
                 select * from unnest($2::timestamptz[], $3::timestamptz[], $4::integer[])
                               with ordinality as window_of (from_at, to_at, width, place)),
             classes as materialized (
                 select id as class_id from rollup_classes
                 where project_id = $1 and for_staff = $7 and visible_to(permissions, audience, $5, $6)),
             -- Materialized: by position alone, which is a few events; by time it would be those of the whole window.
             behind as materialized (
                 select ",
            $columns,
            " from domain_events
                 where project_id = $1 and position > $8 and aggregate_type <> 'Notification'
                   and visible_to(permissions, audience, $5, $6)),
             "
        )
    };
}
/// What happened in each of these windows, by step and wait, but for what became of notifications.
/// `reach` is that of this snapshot.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn event_sums<const N: usize>(
    connection: &mut PgConnection,
    subject: &Subject,
    windows: [Window; N],
    reach: i64,
) -> Result<[Vec<EventSum>; N], sqlx::Error> {
    let query = sqlx::query_as(concat!(
        asked!("event_id, event_type, occurred_at, published_at"),
        "late as (
             select place, date_bin(make_interval(secs => width), occurred_at, to_timestamp(0)) as from_time, event_type,
                    publication_lag_ms(event_id, published_at) as lag
             from behind join asked on occurred_at >= from_at and occurred_at < to_at),
         every as (
             select place, r.from_time, lag_class, events, created, settled, failed, lag_max_ms
             from asked join event_rollups r on r.project_id = $1 and r.width = asked.width
                                            and r.from_time >= from_at and r.from_time < to_at
             join classes using (class_id)
             union all
             select place, from_time, lag_class(lag), 1, (event_type = 'settlement.created')::integer,
                    (event_type = 'settlement.settled')::integer, (event_type = 'settlement.failed')::integer, lag
             from late)
         select place, from_time as \"from\", lag_class, sum(events)::bigint as events, sum(created)::bigint as created,
                sum(settled)::bigint as settled, sum(failed)::bigint as failed, max(lag_max_ms) as lag_max_ms
         from every group by 1, 2, 3 order by 1, 2, 3",
    ));
    let rows: Vec<Placed<EventSum>> = bind(query, subject, &windows, reach).fetch_all(connection).await?;
    Ok(by_place(rows))
}

/// What was settled in each of these windows, by currency and network. `reach` is that of this snapshot.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn volume_sums<const N: usize>(
    connection: &mut PgConnection,
    subject: &Subject,
    windows: [Window; N],
    reach: i64,
) -> Result<[Vec<VolumeSum>; N], sqlx::Error> {
    let query = sqlx::query_as(concat!(
        asked!("event_type, occurred_at, payload"),
        "every as (
             select place, currency, network, amount_minor
             from asked join volume_rollups r on r.project_id = $1 and r.width = asked.width
                                             and r.from_time >= from_at and r.from_time < to_at
             join classes using (class_id)
             union all
             select place, v.currency, v.network, v.amount_minor
             from behind join asked on occurred_at >= from_at and occurred_at < to_at,
                  settled_volume(event_type, payload) v)
         select place, currency, nullif(network, '') as network,
                least(sum(amount_minor), 9223372036854775807)::bigint as amount_minor
         from every group by 1, 2, 3 order by 1, 2, 3",
    ));
    let rows: Vec<Placed<VolumeSum>> = bind(query, subject, &windows, reach).fetch_all(connection).await?;
    Ok(by_place(rows))
}

/// What happened to records of a module in this window that the subject may see, by step. `reach` is that of this snapshot.
///
/// Sums are kept by what events take to be seen, and not by what they happened to; so these are of the permission to read
/// the module, which is its alone ([`tidewatch_modules::Chart::OverTime`]).
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn module_sums(
    connection: &mut PgConnection,
    subject: &Subject,
    module: &Module,
    window: Window,
    reach: i64,
) -> Result<Vec<(OffsetDateTime, i64)>, sqlx::Error> {
    let SubjectColumns { held, names } = subject.into();
    sqlx::query_as(
        "with classes as materialized (
             select id as class_id from rollup_classes
             where project_id = $1 and for_staff = $4 and permissions = array[$5] and visible_to(permissions, audience, $2, $3)),
         behind as materialized (
             select occurred_at from domain_events
             where project_id = $1 and position > $6 and permissions = array[$5] and visible_to(permissions, audience, $2, $3)),
         every as (
             select r.from_time, events from event_rollups r join classes using (class_id)
             where r.project_id = $1 and r.width = $9 and r.from_time >= $7 and r.from_time < $8
             union all
             select date_bin(make_interval(secs => $9), occurred_at, to_timestamp(0)), 1
             from behind where occurred_at >= $7 and occurred_at < $8)
         select from_time, sum(events)::bigint from every group by 1 order by 1",
    )
    .bind(subject.project_id.uuid())
    .bind(held)
    .bind(names)
    .bind(is_staff(subject))
    .bind(module.read.as_str())
    .bind(reach)
    .bind(window.from)
    .bind(window.to)
    .bind(i32::try_from(window.bucket_seconds).unwrap_or(i32::MAX))
    .fetch_all(connection)
    .await
}

type Query<'q, Row> = sqlx::query::QueryAs<'q, sqlx::Postgres, Row, sqlx::postgres::PgArguments>;

fn bind<'q, Row>(query: Query<'q, Row>, subject: &Subject, windows: &[Window], reach: i64) -> Query<'q, Row> {
    let SubjectColumns { held, names } = subject.into();
    query
        .bind(subject.project_id.uuid())
        .bind(column(windows, |window| window.from))
        .bind(column(windows, |window| window.to))
        .bind(column(windows, |window| i32::try_from(window.bucket_seconds).unwrap_or(i32::MAX)))
        .bind(held)
        .bind(names)
        .bind(is_staff(subject))
        .bind(reach)
}

/// A sum, and of which window it is, from 1.
#[derive(sqlx::FromRow)]
struct Placed<T> {
    place: i64,
    #[sqlx(flatten)]
    sum: T,
}

fn by_place<T, const N: usize>(rows: Vec<Placed<T>>) -> [Vec<T>; N] {
    let mut sums = [const { Vec::new() }; N];
    for Placed { place, sum } in rows {
        if let Some(of_window) = usize::try_from(place - 1).ok().and_then(|place| sums.get_mut(place)) {
            of_window.push(sum);
        }
    }
    sums
}

/// Whether the classes of the staff are the ones to be added up for this subject.
fn is_staff(subject: &Subject) -> bool {
    subject.identities.contains(&SubjectRef::staff())
}

/// The projects whose sums do not reach up to the end of their log.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn projects_behind(connection: &mut PgConnection) -> Result<Vec<ProjectId>, sqlx::Error> {
    sqlx::query(
        "insert into rollup_cursors (project_id)
         select s.project_id from project_streams s join projects p on p.id = s.project_id
         where s.last_position > 0 and not exists (select from rollup_cursors c where c.project_id = s.project_id)
         on conflict do nothing",
    )
    .execute(&mut *connection)
    .await?;
    let projects: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select c.project_id from rollup_cursors c join project_streams s using (project_id)
         where c.position < s.last_position",
    )
    .fetch_all(connection)
    .await?;
    Ok(projects.into_iter().map(ProjectId::from_uuid).collect())
}

/// Adds at most `most` events to the sums, in the caller's transaction; how many positions that were. None where somebody
/// else is at it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn advance(
    connection: &mut PgConnection,
    project: ProjectId,
    most: i64,
) -> Result<i64, sqlx::Error> {
    let Some((after, last)) = lock(&mut *connection, project).await? else { return Ok(0) };
    let upto = last.min(after.saturating_add(most));
    if upto > after {
        add_events(&mut *connection, project, after, upto).await?;
    }
    add_counts(&mut *connection, project).await?;
    sqlx::query("update rollup_cursors set position = $2 where project_id = $1")
        .bind(project.uuid())
        .bind(upto)
        .execute(connection)
        .await?;
    Ok(upto - after)
}

/// From where to go on, and how far the log goes. What retention has dropped is passed by.
async fn lock(connection: &mut PgConnection, project: ProjectId) -> Result<Option<(i64, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select greatest(c.position, s.oldest_position - 1), s.last_position
         from rollup_cursors c join project_streams s using (project_id)
         where c.project_id = $1 for update of c skip locked",
    )
    .bind(project.uuid())
    .fetch_optional(connection)
    .await
}

/// Positions up to that of the lock are published, so that a later statement sees all of them.
async fn add_events(
    connection: &mut PgConnection,
    project: ProjectId,
    after: i64,
    upto: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with seen as materialized (
             -- Without their payloads: each is looked at eight times.
             select event_type, occurred_at, permissions, audience,
                    publication_lag_ms(event_id, published_at) as lag, v.currency, v.network, v.amount_minor
             from domain_events left join lateral settled_volume(event_type, payload) v on true
             -- What becomes of notifications is each for one person alone: as many classes as people.
             where project_id = $1 and position > $2 and position <= $3 and aggregate_type <> 'Notification'),
         classed as materialized (
             select s.*, md5(for_staff || ' ' || permissions::text || ' ' || class.audience::text)::uuid as class_id,
                    for_staff, class.audience as class_audience
             from seen s
             cross join unnest(array[true, false]) for_staff
             cross join lateral (select
                 case when not for_staff then array_remove(s.audience, 'role:staff')
                      when 'role:staff' = any(s.audience) then array['role:staff']
                      else s.audience end as audience) class
             -- What is for the staff alone is for nobody else; without an audience it would be for everyone.
             where for_staff or s.audience = '{}' or class.audience <> '{}'),
         steps as materialized (
             select c.*, width, date_bin(make_interval(secs => width), occurred_at, to_timestamp(0)) as from_time
             from classed c cross join unnest($4::integer[]) width
             where abs(extract(epoch from now() - occurred_at)) < $5 * width),
         known as (
             insert into rollup_classes (project_id, id, for_staff, permissions, audience)
             select distinct $1, class_id, for_staff, permissions, class_audience from steps
             on conflict do nothing),
         events as (
             insert into event_rollups
                 (project_id, width, from_time, class_id, lag_class, events, created, settled, failed, lag_max_ms)
             select $1, width, from_time, class_id, lag_class(lag), count(*),
                    count(*) filter (where event_type = 'settlement.created'),
                    count(*) filter (where event_type = 'settlement.settled'),
                    count(*) filter (where event_type = 'settlement.failed'), max(lag)
             from steps group by 2, 3, 4, 5
             on conflict (project_id, width, from_time, class_id, lag_class) do update set
                 events = event_rollups.events + excluded.events,
                 created = event_rollups.created + excluded.created,
                 settled = event_rollups.settled + excluded.settled,
                 failed = event_rollups.failed + excluded.failed,
                 lag_max_ms = greatest(event_rollups.lag_max_ms, excluded.lag_max_ms))
         insert into volume_rollups (project_id, width, from_time, class_id, currency, network, amount_minor)
         select $1, width, from_time, class_id, currency, network, sum(amount_minor)
         from steps where amount_minor is not null group by 2, 3, 4, 5, 6
         on conflict (project_id, width, from_time, class_id, currency, network) do update set
             amount_minor = volume_rollups.amount_minor + excluded.amount_minor",
    )
    .bind(project.uuid())
    .bind(after)
    .bind(upto)
    .bind(widths())
    .bind(KEPT_STEPS)
    .execute(connection)
    .await
    .map(drop)
}

async fn add_counts(connection: &mut PgConnection, project: ProjectId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with gone as (
             delete from record_count_changes where project_id = $1 returning name, status, audience, change)
         insert into record_counts (project_id, name, status, class_id, audience, count)
         select $1, name, status, md5(audience::text)::uuid, audience, sum(change)
         from gone group by name, status, audience having sum(change) <> 0
         on conflict (project_id, name, status, class_id) do update set
             count = record_counts.count + excluded.count",
    )
    .bind(project.uuid())
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes the steps that no chart reaches back to, and classes that nothing is counted under.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn forget_old(connection: &mut PgConnection, project: ProjectId) -> Result<(), sqlx::Error> {
    // Classes stay for who is counting under them.
    if lock(&mut *connection, project).await?.is_none() {
        return Ok(());
    }
    for statement in [
        "delete from event_rollups where project_id = $1 and width = any($2)
            and from_time < now() - make_interval(secs => $3::float8 * width)",
        "delete from volume_rollups where project_id = $1 and width = any($2)
            and from_time < now() - make_interval(secs => $3::float8 * width)",
    ] {
        let delete = sqlx::query(statement).bind(project.uuid()).bind(widths()).bind(KEPT_STEPS);
        delete.execute(&mut *connection).await?;
    }
    // Volume is counted under classes of events alone.
    sqlx::query(
        "delete from rollup_classes c where project_id = $1 and not exists (
             select from event_rollups r where r.project_id = c.project_id and r.class_id = c.id)
           and not exists (
             select from volume_rollups r where r.project_id = c.project_id and r.class_id = c.id)",
    )
    .bind(project.uuid())
    .execute(connection)
    .await
    .map(drop)
}

/// The projects that have sums.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn projects(connection: &mut PgConnection) -> Result<Vec<ProjectId>, sqlx::Error> {
    let projects: Vec<uuid::Uuid> =
        sqlx::query_scalar("select project_id from rollup_cursors").fetch_all(connection).await?;
    Ok(projects.into_iter().map(ProjectId::from_uuid).collect())
}

/// Steps that are kept of each width, before and behind now. The longest chart has 72, and a day 8.
const KEPT_STEPS: i32 = 90;

fn widths() -> Vec<i32> {
    WIDTHS.iter().map(|width| i32::try_from(*width).unwrap_or(i32::MAX)).collect()
}
