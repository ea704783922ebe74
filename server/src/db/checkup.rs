//! What `tidewatch doctor` asks Postgres.

use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use time::OffsetDateTime;

/// Where it is written down which of Tidewatch's own migrations were applied.
pub const MIGRATIONS_TABLE: &str = "_sqlx_migrations";

/// How Postgres is set.
#[derive(Debug, Clone, FromRow)]
pub struct ServerRow {
    /// Its version, for people.
    pub version: String,
    /// Its version as a number: 150004 is 15.4.
    pub version_number: i32,
    /// It only follows another one, and takes no writes.
    pub is_standby: bool,
    /// What is committed is on the disk.
    pub fsync: bool,
    /// It is there before a commit is answered.
    pub synchronous_commit: String,
    /// Dead rows are cleared away.
    pub autovacuum: bool,
    /// How text is kept.
    pub encoding: String,
    /// Most connections of users that are no superusers.
    pub most_connections: i32,
    /// Connections of all users now.
    pub connections: i64,
    /// Its clock.
    pub now: OffsetDateTime,
}

/// How Postgres is set.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn server(connection: &mut PgConnection) -> Result<ServerRow, sqlx::Error> {
    sqlx::query_as(
        "select current_setting('server_version') as version,
                current_setting('server_version_num')::integer as version_number,
                pg_is_in_recovery() as is_standby,
                current_setting('fsync')::boolean as fsync,
                current_setting('synchronous_commit') as synchronous_commit,
                current_setting('autovacuum')::boolean as autovacuum,
                current_setting('server_encoding') as encoding,
                current_setting('max_connections')::integer
                    - current_setting('superuser_reserved_connections')::integer as most_connections,
                (select count(*) from pg_stat_activity where backend_type = 'client backend') as connections,
                clock_timestamp() as now",
    )
    .fetch_one(connection)
    .await
}

/// The migrations that were applied and written down in `table`, and whether each went well; `None`: there is no such table.
/// Its name comes from the program, never from outside.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn migrations(
    connection: &mut PgConnection,
    table: &str,
) -> Result<Option<Vec<(i64, bool)>>, sqlx::Error> {
    let is_there: bool = sqlx::query_scalar("select to_regclass($1) is not null")
        .bind(table)
        .fetch_one(&mut *connection)
        .await?;
    if !is_there {
        return Ok(None);
    }
    sqlx::query_as(AssertSqlSafe(format!("select version, success from {table} order by version")))
        .fetch_all(connection)
        .await
        .map(Some)
}

/// The table of a module, as it is.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct ModuleTable {
    /// The module.
    pub name: String,
    /// The table's columns.
    pub columns: Vec<String>,
    /// Whether its records are counted as they change (`count_records` of the migrations).
    pub is_counted: bool,
}

/// The tables of these modules, as far as they are there.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn module_tables(
    connection: &mut PgConnection,
    names: &[&str],
) -> Result<Vec<ModuleTable>, sqlx::Error> {
    sqlx::query_as(
        "select name, array_agg(attname::text) as columns,
                exists (select from pg_trigger where tgrelid = to_regclass(name) and tgname = name || '_counted_new')
                    as is_counted
         from unnest($1::text[]) name join pg_attribute on attrelid = to_regclass(name)
         where attnum > 0 and not attisdropped
         group by name",
    )
    .bind(names)
    .fetch_all(connection)
    .await
}

/// Of the role that serves requests: whether row-level security does not hold it, and whether this user may be it. `None`:
/// there is no such role.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn app_role(connection: &mut PgConnection) -> Result<Option<(bool, bool)>, sqlx::Error> {
    sqlx::query_as(
        "select rolsuper or rolbypassrls, pg_has_role(current_user, oid, 'member')
         from pg_roles where rolname = 'tidewatch_app'",
    )
    .fetch_optional(connection)
    .await
}

/// Whether events of today and tomorrow have their partitions, and how many rows stand beside all partitions, counted up to
/// 1,000.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn event_partitions(connection: &mut PgConnection) -> Result<(bool, i64), sqlx::Error> {
    sqlx::query_as(
        "select bool_and(to_regclass('domain_events_' || to_char(day, 'YYYYMMDD')) is not null),
                (select count(*) from (select from domain_events_default limit 1000) beside)
         from unnest(array[(now() at time zone 'utc')::date, (now() at time zone 'utc')::date + 1]) day",
    )
    .fetch_one(connection)
    .await
}
