//! What Postgres tells of itself and of the machinery. It looks across projects, and shows rows of none.

use sqlx::{FromRow, PgConnection};
use time::OffsetDateTime;

/// Waiting events are counted so far.
pub const COUNTED: i64 = 10_000;

/// Postgres.
#[derive(Debug, FromRow)]
pub struct DatabaseRow {
    /// Its version.
    pub version: String,
    /// Of this database.
    pub bytes: i64,
    /// To all databases.
    pub connections: i64,
    /// Most of them.
    pub max_connections: i32,
    /// Of this database, in milliseconds.
    pub oldest_transaction_ms: Option<i64>,
    /// The last migration.
    pub schema_version: i64,
}

/// Postgres, as it tells of itself.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn database(connection: &mut PgConnection) -> Result<DatabaseRow, sqlx::Error> {
    sqlx::query_as(
        "select current_setting('server_version') as version,
                pg_database_size(current_database()) as bytes,
                (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
                current_setting('max_connections')::integer as max_connections,
                (select (extract(epoch from clock_timestamp() - min(xact_start)) * 1000)::bigint
                 from pg_stat_activity
                 where datname = current_database() and backend_type = 'client backend'
                   and pid <> pg_backend_pid()) as oldest_transaction_ms,
                (select max(version) from _sqlx_migrations where success) as schema_version",
    )
    .fetch_one(connection)
    .await
}

/// Which instance gives positions, and since when; `None` while none does.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn leader(
    connection: &mut PgConnection,
    lock: i64,
) -> Result<Option<(String, OffsetDateTime)>, sqlx::Error> {
    // Who led last stands in the table also when it is gone: the lock is what says that it leads.
    sqlx::query_as(
        "select leadership.leader, leadership.since
         from pg_locks l cross join relay_leadership leadership
         where l.locktype = 'advisory' and l.granted and l.objsubid = 1
           and l.database = (select oid from pg_database where datname = current_database())
           and ((l.classid::bigint << 32) | l.objid::bigint) = $1
           and leadership.leader is not null and leadership.since is not null",
    )
    .bind(lock)
    .fetch_optional(connection)
    .await
}

/// An instance, as it tells of itself.
#[derive(Debug, Clone, FromRow)]
pub struct InstanceRow {
    /// Its name.
    pub name: String,
    /// When it told last.
    pub seen_at: OffsetDateTime,
    /// How many connections it has.
    pub connections: i64,
    /// What carries events to it beside the log.
    pub broker: Option<String>,
    /// Whether that is heard.
    pub broker_heard: bool,
}

/// Name, last sign of life and connections of each instance.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn instances(connection: &mut PgConnection) -> Result<Vec<InstanceRow>, sqlx::Error> {
    sqlx::query_as(
        "select i.name, i.seen_at, count(c.id) as connections, i.broker, i.broker_heard
         from instances i left join connections c on c.instance_id = i.id
         group by i.id, i.name, i.seen_at, i.broker, i.broker_heard order by i.name, i.id",
    )
    .fetch_all(connection)
    .await
}

/// How many events wait to be published, counted up to [`COUNTED`] and one.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn waiting_events(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select count(*) from (select from domain_events where position is null limit $1) as waiting",
    )
    .bind(COUNTED + 1)
    .fetch_one(connection)
    .await
}

/// Name, estimated rows and bytes of each partition of the events, the newest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn partitions(connection: &mut PgConnection) -> Result<Vec<(String, i64, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select c.relname::text,
                greatest(coalesce(s.n_live_tup, 0), c.reltuples::bigint, 0),
                pg_total_relation_size(c.oid)
         from pg_inherits i join pg_class c on c.oid = i.inhrelid
         left join pg_stat_user_tables s on s.relid = c.oid
         where i.inhparent = 'domain_events'::regclass
         order by c.relname desc",
    )
    .fetch_all(connection)
    .await
}

/// How many endpoints of webhooks take nothing at present, and are not disabled for it yet.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn failing_webhooks(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "select count(*) from webhook_endpoints where failing_since is not null and disabled_at is null",
    )
    .fetch_one(connection)
    .await
}
