//! What the tests share: events, a publisher by hand, processes in the background, and waiting.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection, PgConnection, PgPool};
use tidewatch_events::{
    AggregateType, Event, EventId, EventType, Metadata, NewEvent, Position, ProjectId, Routing,
};
use tidewatch_outbox::{
    LEADER_LOCK, PublishedLog, Relay, RelayConfig, RelayStatus, publish_pending, record_all,
};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

/// Longer than anything here takes on a busy machine: past it a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pause between two looks at a condition.
const LOOK: Duration = Duration::from_millis(5);

/// A relay that is quick to notice: the tests wait for it often.
pub(crate) const QUICK_RELAY: RelayConfig =
    RelayConfig { poll: Duration::from_millis(20), batch: 1_000, takeover: Duration::from_millis(20) };

pub(crate) fn new_project() -> ProjectId {
    ProjectId::from_uuid(Uuid::now_v7())
}

/// An event of an aggregate of type `Order`; its payload tells which one and which version.
pub(crate) fn event(project: ProjectId, aggregate: &str, version: i64) -> NewEvent {
    NewEvent {
        event_type: EventType::from_static("order.status_changed"),
        aggregate_type: AggregateType::ORDER,
        aggregate_id: aggregate.to_owned(),
        aggregate_version: version,
        occurred_at: None,
        payload: json!({ "orderId": aggregate, "version": version }),
        metadata: Metadata::default(),
        routing: Routing::in_project(project),
    }
}

/// The events of `aggregate` with these versions, in this order.
pub(crate) fn events(
    project: ProjectId,
    aggregate: &str,
    versions: impl IntoIterator<Item = i64>,
) -> Vec<NewEvent> {
    versions.into_iter().map(|version| event(project, aggregate, version)).collect()
}

/// Records the events in a transaction of their own and commits.
pub(crate) async fn commit(pool: &PgPool, events: &[NewEvent]) -> Vec<EventId> {
    let mut transaction = pool.begin().await.expect("a transaction");
    let ids = record_all(&mut transaction, events).await.expect("recorded");
    transaction.commit().await.expect("committed");
    ids
}

/// Does the relay's work once, without a relay.
pub(crate) async fn publish(pool: &PgPool) -> u64 {
    let mut session = pool.acquire().await.expect("a connection");
    publish_pending(&mut session, 1_000).await.expect("published")
}

/// Everything that the project has published, after a look that its positions have no hole.
pub(crate) async fn published(pool: &PgPool, project: ProjectId) -> Vec<Event> {
    let log = PublishedLog::new(pool.clone());
    let page = log.read(project, Position::START, usize::MAX).await.expect("the log");
    for (event, expected) in page.events.iter().zip(page.oldest.get()..) {
        assert_eq!(event.envelope.position.get(), expected, "positions have no hole");
    }
    page.events
}

pub(crate) fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(|event| event.envelope.event_id).collect()
}

pub(crate) fn id_set(events: &[Event]) -> BTreeSet<EventId> {
    events.iter().map(|event| event.envelope.event_id).collect()
}

/// `(aggregate, version)` of each event.
pub(crate) fn versions(events: &[Event]) -> Vec<(&str, i64)> {
    events
        .iter()
        .map(|event| (event.envelope.aggregate_id.as_str(), event.envelope.aggregate_version))
        .collect()
}

pub(crate) fn positions(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.envelope.position.get()).collect()
}

pub(crate) fn options(pool: &PgPool) -> PgConnectOptions {
    pool.connect_options().as_ref().clone()
}

/// A connection of its own, outside of any pool.
pub(crate) async fn connect(pool: &PgPool) -> PgConnection {
    PgConnection::connect_with(&options(pool)).await.expect("a connection")
}

/// A pool of its own, with sessions that [`terminate_sessions`] finds by `name`.
pub(crate) fn pool_named(pool: &PgPool, name: &str, connections: u32) -> PgPool {
    PgPoolOptions::new().max_connections(connections).connect_lazy_with(options(pool).application_name(name))
}

pub(crate) async fn backend_pid(connection: &mut PgConnection) -> i32 {
    sqlx::query_scalar("select pg_backend_pid()").fetch_one(connection).await.expect("a process id")
}

/// Waits until `look` finds what is waited for.
pub(crate) async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let waiting = async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    match tokio::time::timeout(PATIENCE, waiting).await {
        Ok(found) => found,
        Err(_) => panic!("waited in vain: {what}"),
    }
}

/// Waits until the session `pid` waits for a lock that another one holds.
pub(crate) async fn until_blocked(pool: &PgPool, pid: i32) {
    eventually("the session is blocked", async || {
        sqlx::query_scalar::<_, bool>("select cardinality(pg_blocking_pids($1)) > 0")
            .bind(pid)
            .fetch_one(pool)
            .await
            .expect("a look at the locks")
            .then_some(())
    })
    .await;
}

/// Waits until some session of this database waits for a lock, having begun `query`.
pub(crate) async fn until_query_blocked(pool: &PgPool, query: &str) {
    eventually("the query is blocked", async || {
        sqlx::query_scalar::<_, bool>(
            "select exists (select from pg_stat_activity
                            where datname = current_database() and wait_event_type = 'Lock'
                              and position($1 in query) > 0 and pid <> pg_backend_pid())",
        )
        .bind(query)
        .fetch_one(pool)
        .await
        .expect("a look at the sessions")
        .then_some(())
    })
    .await;
}

/// Waits until the project has published `count` events, and gives them.
pub(crate) async fn until_published(pool: &PgPool, project: ProjectId, count: usize) -> Vec<Event> {
    let log = PublishedLog::new(pool.clone());
    eventually("the events are published", async || {
        let head = log.head(project).await.expect("the head");
        (head.last.get() >= count as u64).then_some(())
    })
    .await;
    published(pool, project).await
}

/// The session that holds the leader's lock.
pub(crate) async fn leader(pool: &PgPool) -> Option<i32> {
    sqlx::query_scalar(
        "select pid from pg_locks
         where locktype = 'advisory' and granted and objsubid = 1
           and database = (select oid from pg_database where datname = current_database())
           and (classid::bigint << 32) | objid::bigint = $1",
    )
    .bind(LEADER_LOCK)
    .fetch_optional(pool)
    .await
    .expect("a look at the locks")
}

pub(crate) async fn until_led(pool: &PgPool) -> i32 {
    eventually("a session leads", async || leader(pool).await).await
}

/// Ends the session that leads, as soon as one does, and waits until it is gone.
pub(crate) async fn terminate_leader(pool: &PgPool) {
    let pid = until_led(pool).await;
    terminate(pool, pid).await;
}

/// Ends a session and waits until it is gone.
pub(crate) async fn terminate(pool: &PgPool, pid: i32) {
    sqlx::query("select pg_terminate_backend($1)").bind(pid).execute(pool).await.expect("terminated");
    eventually("the session is gone", async || {
        sqlx::query_scalar::<_, bool>("select not exists (select from pg_stat_activity where pid = $1)")
            .bind(pid)
            .fetch_one(pool)
            .await
            .expect("a look at the sessions")
            .then_some(())
    })
    .await;
}

/// Ends every session of this database that has this application name, and says how many.
pub(crate) async fn terminate_sessions(pool: &PgPool, name: &str) -> usize {
    let ended: Vec<bool> = sqlx::query_scalar(
        "select pg_terminate_backend(pid) from pg_stat_activity
         where datname = current_database() and application_name = $1",
    )
    .bind(name)
    .fetch_all(pool)
    .await
    .expect("terminated");
    ended.len()
}

/// What runs in the background of a test. [`Background::stop`] ends it, so that no session keeps
/// the test's database from being dropped.
#[derive(Default)]
pub(crate) struct Background {
    shutdown: CancellationToken,
    tasks: TaskTracker,
}

impl Background {
    pub(crate) fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// A relay of another process: nobody wakes it.
    pub(crate) fn relay(&self, pool: &PgPool, config: RelayConfig) -> std::sync::Arc<RelayStatus> {
        let relay = Relay::new(options(pool), config, tidewatch_outbox::Waker::default());
        let status = relay.status();
        self.spawn(relay.run(self.shutdown()));
        status
    }

    pub(crate) async fn stop(self) {
        self.shutdown.cancel();
        self.tasks.close();
        tokio::time::timeout(PATIENCE, self.tasks.wait()).await.expect("the background ends when told");
    }
}

/// Makes the partition of the day that was `days_ago`, and says its name.
pub(crate) async fn old_partition(pool: &PgPool, days_ago: i32) -> String {
    let (name, from, to): (String, String, String) = sqlx::query_as(
        "select 'domain_events_' || to_char(day, 'YYYYMMDD'), day::text, (day + 1)::text
         from (select (now() at time zone 'utc')::date - $1 as day) as days",
    )
    .bind(days_ago)
    .fetch_one(pool)
    .await
    .expect("a day");
    let sql =
        format!("create table {name} partition of domain_events for values from ('{from}') to ('{to}')");
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await.expect("a partition");
    name
}

/// Inserts events that were recorded and published `days_ago`, at these positions.
pub(crate) async fn insert_old(pool: &PgPool, project: ProjectId, days_ago: i32, positions: &[i64]) {
    sqlx::query(
        "insert into domain_events (event_id, recorded_on, project_id, event_type, aggregate_type, aggregate_id,
                                    aggregate_version, occurred_at, payload, position, published_at)
         select gen_random_uuid(), day, $1, 'order.status_changed', 'Order', 'old', position, day, '{}', position, day
         from unnest($3::bigint[]) as position, (select (now() at time zone 'utc')::date - $2 as day) as days",
    )
    .bind(project.uuid())
    .bind(days_ago)
    .bind(positions)
    .execute(pool)
    .await
    .expect("inserted");
    sqlx::query(
        "insert into project_streams as stream (project_id, last_position) values ($1, $2)
         on conflict (project_id) do update
         set last_position = greatest(stream.last_position, excluded.last_position)",
    )
    .bind(project.uuid())
    .bind(positions.iter().max())
    .execute(pool)
    .await
    .expect("a stream");
}
