//! How far the schema is.

use sqlx::PgPool;

/// How many of Tidewatch's migrations are applied: each counts as soon as it is done.
pub async fn applied(pool: &PgPool) -> u64 {
    let applied =
        sqlx::query_scalar("select count(*) from _sqlx_migrations where success").fetch_one(pool).await;
    // In a new database there is no such table yet.
    applied.map_or(0, |applied: i64| applied.unsigned_abs())
}
