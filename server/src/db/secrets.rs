//! The table `server_secrets`: secrets that the server makes for itself once.

use sqlx::PgPool;

/// The secret of this name; made from `candidate` when there is none yet. All instances get the
/// same one, whichever came first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ensure(pool: &PgPool, name: &str, candidate: &[u8]) -> Result<Vec<u8>, sqlx::Error> {
    sqlx::query("insert into server_secrets (name, value) values ($1, $2) on conflict do nothing")
        .bind(name)
        .bind(candidate)
        .execute(pool)
        .await?;
    sqlx::query_scalar("select value from server_secrets where name = $1").bind(name).fetch_one(pool).await
}

/// Puts another key of Web Push in the place of this one, and forgets the browsers that subscribed under it. Gives the
/// key that counts then: all instances get the same one, whichever came first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn replace_push_key(
    pool: &PgPool,
    name: &str,
    old: &[u8],
    new: &[u8],
) -> Result<Vec<u8>, sqlx::Error> {
    let mut transaction = pool.begin().await?;
    let replaced = sqlx::query("update server_secrets set value = $3 where name = $1 and value = $2")
        .bind(name)
        .bind(old)
        .bind(new)
        .execute(&mut *transaction)
        .await?;
    if replaced.rows_affected() > 0 {
        sqlx::query("delete from push_subscriptions").execute(&mut *transaction).await?;
    }
    let value = sqlx::query_scalar("select value from server_secrets where name = $1")
        .bind(name)
        .fetch_one(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(value)
}
