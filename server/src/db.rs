//! Only here is SQL, one file a table. Functions take a connection, so that the caller decides
//! what is one transaction. A row never leaves with a secret that its caller did not ask for.

pub mod api_keys;
pub mod audit;
pub mod bulk_moves;
pub mod channels;
pub mod checkup;
pub mod comments;
pub mod connections;
pub mod cursors;
pub mod deliveries;
pub mod events;
pub mod incidents;
pub mod invitations;
pub mod ledger;
pub mod login_failures;
pub mod migrations;
pub mod notifications;
pub mod organizations;
pub mod overview;
pub mod people;
pub mod projects;
pub mod publish_counts;
pub mod publishing;
pub mod push_subscriptions;
pub mod records;
pub mod roles;
pub mod rollups;
pub mod saved_views;
pub mod secrets;
pub mod server_checks;
pub mod sessions;
pub mod settlements;
pub mod subscriptions;
pub mod system;
pub mod time_zones;
pub mod tokens;
pub mod users;
pub mod visibility;
pub mod webhooks;
pub mod witness;
pub mod witness_runs;

use sqlx::{PgPool, Postgres, Transaction};
use tidewatch_events::ProjectId;
use tidewatch_outbox::{begin_whole, set_project_statement};

/// Begins a transaction that may change rows of `project`, and of no other.
///
/// # Errors
/// No connection was to be had, or Postgres refused.
pub async fn begin_change(
    pool: &PgPool,
    project: ProjectId,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    begin_whole(pool, format!("begin; {}", set_project_statement(project))).await
}

/// Begins a read-only transaction in which everything is read as of one moment: data and stream
/// position of a page must come from the same one. It sees rows of `project` alone.
///
/// # Errors
/// No connection was to be had, or Postgres refused.
pub async fn begin_snapshot(
    pool: &PgPool,
    project: ProjectId,
) -> Result<Transaction<'static, Postgres>, sqlx::Error> {
    let begin =
        format!("begin isolation level repeatable read read only; {}", set_project_statement(project));
    begin_whole(pool, begin).await
}

/// One column of these rows, to be bound as an array and unnested.
fn column<'a, Row, T>(rows: &'a [Row], of: impl Fn(&'a Row) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}
