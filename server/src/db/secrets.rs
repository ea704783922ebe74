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
