//! The table `sessions`.

use serde_json::Value;
use sqlx::{FromRow, PgConnection, PgPool};
use tidewatch_app::model::Session;
use tidewatch_events::Timestamp;
use tidewatch_events::id::{SessionId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::access::session_store::PUSH_LOGIN_KEY;

/// What is written of a session.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Whose; `None` before the login.
    pub user: Option<Uuid>,
    /// What tower-sessions keeps in it.
    pub data: Value,
    /// What the browser calls itself.
    pub client: &'a str,
    /// Where the login came from.
    pub address: &'a str,
    /// When it ends.
    pub expires_at: OffsetDateTime,
}

/// Writes a new session; `false` when the digest is taken.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(pool: &PgPool, digest: &[u8], new: &NewSession<'_>) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "insert into sessions (id, user_id, data, client, address, expires_at)
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
    )
    .bind(digest)
    .bind(new.user)
    .bind(&new.data)
    .bind(new.client)
    .bind(new.address)
    .bind(new.expires_at)
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Writes a session that exists. One that was deleted meanwhile stays deleted: a request that was
/// under way at logout must not bring it back.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn update(pool: &PgPool, digest: &[u8], new: &NewSession<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update sessions set user_id = $2, data = $3, client = $4, address = $5, expires_at = $6 where id = $1",
    )
    .bind(digest)
    .bind(new.user)
    .bind(&new.data)
    .bind(new.client)
    .bind(new.address)
    .bind(new.expires_at)
    .execute(pool)
    .await
    .map(drop)
}

/// A session that has not expired. Notes that it was used, to the minute.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(pool: &PgPool, digest: &[u8]) -> Result<Option<(Value, OffsetDateTime)>, sqlx::Error> {
    sqlx::query_as(
        "with found as (
             select id, data, expires_at, last_seen_at from sessions where id = $1 and expires_at > now()
         ), seen as (
             update sessions set last_seen_at = now()
             where id in (select id from found where last_seen_at < now() - interval '1 minute')
         )
         select data, expires_at from found",
    )
    .bind(digest)
    .fetch_optional(pool)
    .await
}

/// Which of these sessions have not ended.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_live(
    connection: &mut PgConnection,
    digests: impl Iterator<Item = [u8; 32]>,
) -> Result<Vec<[u8; 32]>, sqlx::Error> {
    sqlx::query_scalar("select id from sessions where id = any($1) and expires_at > now()")
        .bind(digests.collect::<Vec<_>>())
        .fetch_all(connection)
        .await
}

/// Deletes a session.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete(pool: &PgPool, digest: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query("delete from sessions where id = $1").bind(digest).execute(pool).await.map(drop)
}

/// Deletes what has expired, and says how much that was.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete_expired(pool: &PgPool) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query("delete from sessions where expires_at < now()").execute(pool).await?.rows_affected())
}

#[derive(FromRow)]
struct SessionRow {
    id: Uuid,
    api: bool,
    client: String,
    address: String,
    created_at: OffsetDateTime,
    last_seen_at: OffsetDateTime,
    current: bool,
}

/// The logins of a person, in browsers and of the API, the last used first. `current` is the digest
/// of the session that asks, `family` the API login that does.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn of_user(
    connection: &mut PgConnection,
    user: UserId,
    current: Option<[u8; 32]>,
    family: Option<Uuid>,
) -> Result<Vec<Session>, sqlx::Error> {
    let rows: Vec<SessionRow> = sqlx::query_as(
        "select public_id as id, false as api, client, address, created_at, last_seen_at,
                coalesce(id = $2, false) as current
         from sessions where user_id = $1 and expires_at > now()
         union all
         select id, true, client, '', created_at, last_used_at, coalesce(id = $3, false)
         from token_families where user_id = $1 and revoked_at is null and expires_at > now()
         order by last_seen_at desc, id",
    )
    .bind(user.uuid())
    .bind(current)
    .bind(family)
    .fetch_all(connection)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| Session {
            id: SessionId::from_uuid(row.id),
            api: row.api,
            client: row.client,
            address: row.address,
            created_at: Timestamp::from(row.created_at),
            last_seen_at: Timestamp::from(row.last_seen_at),
            current: row.current,
        })
        .collect())
}

/// Ends a login of this person, and what its browsers are told by Web Push; `false` when they have no such login.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn end(connection: &mut PgConnection, user: UserId, id: SessionId) -> Result<bool, sqlx::Error> {
    let ended: i64 = sqlx::query_scalar(
        "with browser as (
             delete from sessions where user_id = $1 and public_id = $2 returning data ->> $3::text as login
         ), api as (
             update token_families set revoked_at = now()
             where user_id = $1 and id = $2 and revoked_at is null returning id
         ), told as (
             delete from push_subscriptions
             where login in (select login::uuid from browser where login is not null union all select id from api)
         )
         select (select count(*) from browser) + (select count(*) from api)",
    )
    .bind(user.uuid())
    .bind(id.uuid())
    .bind(PUSH_LOGIN_KEY)
    .fetch_one(connection)
    .await?;
    Ok(ended > 0)
}

/// Ends all logins of this person but this one, and says how many there were. Web Push ends with them, and with those that
/// have run out: whatever of the person's browsers was not subscribed in this login is told no more.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn end_others(
    connection: &mut PgConnection,
    user: UserId,
    current: Option<[u8; 32]>,
    family: Option<Uuid>,
) -> Result<i64, sqlx::Error> {
    sqlx::query_scalar(
        "with browser as (
             delete from sessions where user_id = $1 and id is distinct from $2 returning 1
         ), told as (
             delete from push_subscriptions
             where user_id = $1
               and not coalesce(login = coalesce(
                   (select (data ->> $4::text)::uuid from sessions where user_id = $1 and id = $2), $3), false)
         ), api as (
             update token_families set revoked_at = now()
             where user_id = $1 and id is distinct from $3 and revoked_at is null returning 1
         )
         select (select count(*) from browser) + (select count(*) from api)",
    )
    .bind(user.uuid())
    .bind(current)
    .bind(family)
    .bind(PUSH_LOGIN_KEY)
    .fetch_one(connection)
    .await
}
