//! Only here is SQL, one file a table. Functions take a connection, so that the caller decides
//! what is one transaction. A row never leaves with a secret that its caller did not ask for.

pub mod api_keys;
pub mod overview;
pub mod projects;
pub mod secrets;
pub mod sessions;
pub mod settlements;
pub mod users;

use sqlx::{PgPool, Postgres, Transaction};

/// Begins a read-only transaction in which everything is read as of one moment: data and stream
/// position of a page must come from the same one.
///
/// # Errors
/// No connection was to be had, or Postgres refused.
pub async fn begin_snapshot(pool: &PgPool) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    pool.begin_with("begin isolation level repeatable read read only").await
}
