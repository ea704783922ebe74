//! The tables `token_families` and `refresh_tokens`: logins of API users.

use sqlx::PgConnection;
use tidewatch_events::ProjectId;
use tidewatch_events::id::UserId;
use time::OffsetDateTime;
use uuid::Uuid;

/// Writes a new login of an API user, and says by which id its tokens know it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert_family(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    client: &str,
    expires_at: OffsetDateTime,
) -> Result<Uuid, sqlx::Error> {
    let id = Uuid::now_v7();
    sqlx::query(
        "insert into token_families (id, project_id, user_id, client, expires_at) values ($1, $2, $3, $4, $5)",
    )
    .bind(id)
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(client)
    .bind(expires_at)
    .execute(connection)
    .await?;
    Ok(id)
}

/// Writes the digest of a refresh token.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert_refresh(
    connection: &mut PgConnection,
    family: Uuid,
    digest: &[u8],
) -> Result<(), sqlx::Error> {
    sqlx::query("insert into refresh_tokens (digest, family_id) values ($1, $2)")
        .bind(digest)
        .bind(family)
        .execute(connection)
        .await
        .map(drop)
}

/// A login that goes on.
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct LiveFamily {
    /// Which.
    pub id: Uuid,
    /// Of whom.
    pub user_id: Uuid,
    /// For which project.
    pub project_id: Uuid,
}

/// What a refresh token was worth.
#[derive(Debug, Clone, Copy)]
pub enum RefreshUse {
    /// It was the login's current one, and is used up now.
    Current(LiveFamily),
    /// It had been used before: somebody else has a copy. The whole login is ended.
    Reused,
    /// There is no such token, or its login has ended.
    Unknown,
}

/// Uses a refresh token up.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn use_refresh(connection: &mut PgConnection, digest: &[u8]) -> Result<RefreshUse, sqlx::Error> {
    let found: Option<(Uuid, bool)> = sqlx::query_as(
        "with used as (
             update refresh_tokens set used_at = now() where digest = $1 and used_at is null returning family_id
         )
         select family_id, true from used
         union all
         select family_id, false from refresh_tokens
         where digest = $1 and used_at is not null and not exists (select from used)",
    )
    .bind(digest)
    .fetch_optional(&mut *connection)
    .await?;
    match found {
        None => Ok(RefreshUse::Unknown),
        Some((family, false)) => {
            end_family(connection, family).await?;
            Ok(RefreshUse::Reused)
        }
        Some((family, true)) => {
            let live: Option<LiveFamily> = sqlx::query_as(
                "update token_families set last_used_at = now()
                 where id = $1 and revoked_at is null and expires_at > now()
                 returning id, user_id, project_id",
            )
            .bind(family)
            .fetch_optional(connection)
            .await?;
            Ok(live.map_or(RefreshUse::Unknown, RefreshUse::Current))
        }
    }
}

/// Ends a login: its access tokens count no longer, and cannot be renewed, and what was subscribed in it to Web Push is
/// told no more.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn end_family(connection: &mut PgConnection, family: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with told as (delete from push_subscriptions where login = $1)
         update token_families set revoked_at = coalesce(revoked_at, now()) where id = $1",
    )
    .bind(family)
    .execute(connection)
    .await
    .map(drop)
}

/// Ends the login that a refresh token belongs to, used or not, with what was subscribed in it to Web Push.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn end_family_of(connection: &mut PgConnection, digest: &[u8]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with family as (
             select family_id as id from refresh_tokens where digest = $1
         ), told as (
             delete from push_subscriptions where login in (select id from family)
         )
         update token_families set revoked_at = coalesce(revoked_at, now()) where id in (select id from family)",
    )
    .bind(digest)
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes logins that ended long ago, with their refresh tokens.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete_expired(pool: &sqlx::PgPool) -> Result<u64, sqlx::Error> {
    Ok(sqlx::query("delete from token_families where expires_at < now()")
        .execute(pool)
        .await?
        .rows_affected())
}

/// Which of these logins go on.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_live(
    connection: &mut PgConnection,
    families: impl Iterator<Item = Uuid>,
) -> Result<Vec<Uuid>, sqlx::Error> {
    sqlx::query_scalar(
        "select id from token_families where id = any($1) and revoked_at is null and expires_at > now()",
    )
    .bind(families.collect::<Vec<_>>())
    .fetch_all(connection)
    .await
}
