//! The tables `instances` and `connections`.

use sqlx::{AssertSqlSafe, FromRow, PgConnection, PgPool};
use tidewatch_app::model::ConnectionSort;
use tidewatch_events::ProjectId;
use tidewatch_events::id::{ApiKeyId, ConnectionId};
use time::OffsetDateTime;
use uuid::Uuid;

use super::column;

/// A connection as it is kept.
#[derive(Debug, Clone, FromRow)]
pub struct ConnectionRow {
    /// Which.
    pub id: Uuid,
    /// In which project.
    pub project_id: Uuid,
    /// `sse`, `poll` or `socketio`.
    pub kind: String,
    /// Whose.
    pub actor: String,
    /// What that one is called.
    pub actor_name: String,
    /// From where.
    pub address: Option<String>,
    /// With what program.
    pub client: String,
    /// Since when.
    pub connected_at: OffsetDateTime,
    /// On which channels.
    pub channels: Vec<String>,
    /// On the word of which API keys.
    pub keys: Vec<Uuid>,
}

/// What an instance tells the others.
#[derive(Debug, Default)]
pub struct Report {
    /// Connections that are new or have changed.
    pub changed: Vec<ConnectionRow>,
    /// Connections that have ended.
    pub ended: Vec<Uuid>,
}

/// What an instance is told in return.
#[derive(Debug, FromRow)]
pub struct Reported {
    /// `false`: it was not known, and has to report all that it has.
    pub was_known: bool,
    /// The projects whose connections somebody looks at.
    pub watched: Vec<Uuid>,
}

/// Writes what an instance reports, by which broker events come to it and whether that is heard, and forgets instances that were not seen for 5 s.
///
/// # Errors
/// Postgres refused or could not be reached; then nothing is written.
pub async fn report(
    pool: &PgPool,
    instance: Uuid,
    name: &str,
    broker: Option<(&str, bool)>,
    report: &Report,
) -> Result<Reported, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let reported: Reported = sqlx::query_as(
        "insert into instances (id, name, broker, broker_heard) values ($1, $2, $3, $4)
         on conflict (id) do update
         set seen_at = now(), broker = excluded.broker, broker_heard = excluded.broker_heard
         returning xmax <> 0 as was_known,
                   array(select project_id from presence_watches where until > now()) as watched",
    )
    .bind(instance)
    .bind(name)
    .bind(broker.map(|(name, _)| name))
    .bind(broker.is_some_and(|(_, is_heard)| is_heard))
    .fetch_one(&mut *transaction)
    .await?;
    if !report.ended.is_empty() {
        sqlx::query("delete from connections where id = any($1)")
            .bind(&report.ended)
            .execute(&mut *transaction)
            .await?;
    }
    if !report.changed.is_empty() {
        write_changed(&mut transaction, instance, &report.changed).await?;
    }
    sqlx::query("delete from instances where seen_at < now() - interval '5 seconds'")
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(reported)
}

/// What one person, one key or one address has open on other instances.
#[derive(Debug, Clone, FromRow)]
pub struct HeldElsewhere {
    /// Whose, or `None` where it is of an address.
    pub actor: Option<String>,
    /// From where, or `None` where it is of somebody.
    pub address: Option<String>,
    /// How many connections.
    pub connections: i64,
}

/// What is open on the other instances. Those that have not told anything for 2 s are left out: they are going or gone, and
/// their clients are on their way here.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn held_elsewhere(pool: &PgPool, instance: Uuid) -> Result<Vec<HeldElsewhere>, sqlx::Error> {
    sqlx::query_as(
        "select case when grouping(c.actor) = 0 then c.actor end as actor, c.address, count(*) as connections
         from connections c join instances i on i.id = c.instance_id
         where i.id <> $1 and i.seen_at > now() - interval '2 seconds'
         group by grouping sets ((c.actor), (c.address))
         having grouping(c.actor) = 0 or c.address is not null",
    )
    .bind(instance)
    .fetch_all(pool)
    .await
}

/// How busy a connection is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConnectionLoad {
    /// Which.
    pub id: Uuid,
    /// Events a second that it is given, over some seconds.
    pub rate: f32,
    /// Events that wait for it.
    pub waiting: i64,
}

/// Writes how busy connections are.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn write_loads(pool: &PgPool, loads: &[ConnectionLoad]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update connections c set rate = load.rate, waiting = load.waiting
         from unnest($1::uuid[], $2::real[], $3::bigint[]) as load (id, rate, waiting)
         where c.id = load.id",
    )
    .bind(column(loads, |load| load.id))
    .bind(column(loads, |load| load.rate))
    .bind(column(loads, |load| load.waiting))
    .execute(pool)
    .await
    .map(drop)
}

/// Somebody looks at the project's connections: for some seconds every instance tells how busy they are.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn watch(connection: &mut PgConnection, project: ProjectId) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into presence_watches (project_id, until) values ($1, now() + interval '15 seconds')
         on conflict (project_id) do update set until = excluded.until
         where presence_watches.until < now() + interval '10 seconds'",
    )
    .bind(project.uuid())
    .execute(connection)
    .await
    .map(drop)
}

async fn write_changed(
    connection: &mut PgConnection,
    instance: Uuid,
    rows: &[ConnectionRow],
) -> Result<(), sqlx::Error> {
    // Arrays of arrays cannot be unnested by row; none of the names holds a comma.
    let keys = |row: &ConnectionRow| row.keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    sqlx::query(
        "insert into connections
             (id, instance_id, project_id, kind, actor, actor_name, address, client, connected_at, channels, keys)
         select id, $1, project_id, kind, actor, actor_name, address, client, connected_at,
                string_to_array(channels, ','), string_to_array(keys, ',')::uuid[]
         from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                     $9::timestamptz[], $10::text[], $11::text[])
              as row (id, project_id, kind, actor, actor_name, address, client, connected_at, channels, keys)
         on conflict (id) do update set channels = excluded.channels, keys = excluded.keys",
    )
    .bind(instance)
    .bind(column(rows, |row| row.id))
    .bind(column(rows, |row| row.project_id))
    .bind(column(rows, |row| row.kind.as_str()))
    .bind(column(rows, |row| row.actor.as_str()))
    .bind(column(rows, |row| row.actor_name.as_str()))
    .bind(column(rows, |row| row.address.as_deref()))
    .bind(column(rows, |row| row.client.as_str()))
    .bind(column(rows, |row| row.connected_at))
    .bind(column(rows, |row| row.channels.join(",")))
    .bind(column(rows, keys))
    .execute(connection)
    .await
    .map(drop)
}

/// Forgets an instance and its connections: it goes down.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn forget_instance(pool: &PgPool, instance: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("delete from instances where id = $1").bind(instance).execute(pool).await.map(drop)
}

/// Those of an instance's connections that somebody has asked it to end.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn asked_to_end(pool: &PgPool, instance: Uuid) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar("select id from connections where instance_id = $1 and end_asked_at is not null")
        .bind(instance)
        .fetch_all(pool)
        .await
}

/// Which connections are asked for.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// On this channel.
    pub channel: Option<String>,
    /// On the word of this API key.
    pub key: Option<ApiKeyId>,
    /// With each of these words in who they are, from where, with which program or on which instance.
    pub text: String,
    /// In which order.
    pub sort: ConnectionSort,
    /// Behind this one, in that order.
    pub after: Option<(Place, ConnectionId)>,
}

/// Where a connection stands in an order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Place {
    /// By when it was made.
    Since(OffsetDateTime),
    /// By how busy it is.
    Load(f64),
}

/// A connection with the instance that has it.
#[derive(Debug, Clone, FromRow)]
pub struct ListedConnection {
    /// The connection.
    #[sqlx(flatten)]
    pub connection: ConnectionRow,
    /// The instance's name.
    pub instance: String,
    /// Events a second that it is given; `None`: not counted yet.
    pub rate: Option<f32>,
    /// Events that wait for it; `None`: not counted yet.
    pub waiting: Option<i64>,
    /// Somebody has asked for its end.
    pub ending: bool,
}

/// A project's connections on all instances. How busy they are changes: what has moved on meanwhile is on two pages of such
/// an order, or on none.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
    query: &Wanted,
    limit: u32,
) -> Result<Vec<ListedConnection>, sqlx::Error> {
    let (behind, order) = match query.sort {
        ConnectionSort::Newest => (
            "$8::float8 is null and ($4::timestamptz is null or (c.connected_at, c.id) < ($4, $5))",
            "c.connected_at",
        ),
        ConnectionSort::Waiting => (
            "$4::timestamptz is null
             and ($8::float8 is null or (coalesce(c.waiting, -1)::float8, c.id) < ($8, $5))",
            "coalesce(c.waiting, -1)",
        ),
        ConnectionSort::Rate => (
            "$4::timestamptz is null
             and ($8::float8 is null or (coalesce(c.rate, -1)::float8, c.id) < ($8, $5))",
            "coalesce(c.rate, -1)",
        ),
    };
    let (since, load) = match query.after {
        Some((Place::Since(since), _)) => (Some(since), None),
        Some((Place::Load(load), _)) => (None, Some(load)),
        None => (None, None),
    };
    let statement = format!(
        "select c.id, c.project_id, c.kind, c.actor, c.actor_name, c.address, c.client, c.connected_at, c.channels,
                c.keys, i.name as instance, c.rate, c.waiting, c.end_asked_at is not null as ending
         from connections c join instances i on i.id = c.instance_id
         where c.project_id = $1
           and ($2::text is null or $2 = any(c.channels))
           and ($3::uuid is null or $3 = any(c.keys))
           and {behind}
           and not exists (
             select from regexp_split_to_table(lower($7), '\\s+') word
             where position(word in lower(concat_ws(' ', c.actor_name, c.actor, c.address, c.client, i.name))) = 0)
         order by {order} desc, c.id desc
         limit $6"
    );
    // Of the parts above alone.
    sqlx::query_as(AssertSqlSafe(statement))
        .bind(project.uuid())
        .bind(&query.channel)
        .bind(query.key.map(ApiKeyId::uuid))
        .bind(since)
        .bind(query.after.map(|after| after.1.uuid()))
        .bind(i64::from(limit))
        .bind(query.text.trim())
        .bind(load)
        .fetch_all(connection)
        .await
}

/// How many connections of a project there are: instance, kind and number.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count(
    connection: &mut PgConnection,
    project: ProjectId,
) -> Result<Vec<(String, String, i64)>, sqlx::Error> {
    sqlx::query_as(
        "select i.name, c.kind, count(*) from connections c join instances i on i.id = c.instance_id
         where c.project_id = $1 group by i.name, c.kind order by i.name, c.kind",
    )
    .bind(project.uuid())
    .fetch_all(connection)
    .await
}

/// How many are connected to the project by other instances than this one.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_elsewhere(
    connection: &mut PgConnection,
    project: ProjectId,
    instance: Uuid,
) -> Result<u64, sqlx::Error> {
    let count: i64 =
        sqlx::query_scalar("select count(*) from connections where project_id = $1 and instance_id <> $2")
            .bind(project.uuid())
            .bind(instance)
            .fetch_one(connection)
            .await?;
    Ok(count.unsigned_abs())
}

/// How many are connected, or in a private channel, on the word of a key, on all instances.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count_on_word_of(connection: &mut PgConnection, key: ApiKeyId) -> Result<u64, sqlx::Error> {
    let count: i64 = sqlx::query_scalar(
        "select count(*) from connections
         where project_id = (select project_id from api_keys where id = $1) and $1 = any(keys)",
    )
    .bind(key.uuid())
    .fetch_one(connection)
    .await?;
    Ok(count.unsigned_abs())
}

/// Asks the instance that has it to end a connection; what the connection is, when it is there.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ask_to_end(
    connection: &mut PgConnection,
    project: ProjectId,
    id: ConnectionId,
) -> Result<Option<ConnectionRow>, sqlx::Error> {
    sqlx::query_as(
        "update connections set end_asked_at = now() where project_id = $1 and id = $2
         returning id, project_id, kind, actor, actor_name, address, client, connected_at, channels, keys",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await
}
