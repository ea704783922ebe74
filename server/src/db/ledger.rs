//! The ledger: what moved on the table `balances`, entry by entry.

use sqlx::PgConnection;
use tidewatch_events::id::RecordId;
use tidewatch_events::money::Currency;
use tidewatch_events::{ProjectId, Timestamp};
use tidewatch_modules::{Module, Record};
use uuid::Uuid;

/// An entry: one side of a movement of money.
#[derive(Debug, Clone)]
pub struct NewEntry<'a> {
    /// Whose.
    pub project: ProjectId,
    /// All entries of one movement have it.
    pub transaction_id: Uuid,
    /// Which balance moved.
    pub balance: Uuid,
    /// Its version afterwards.
    pub version: i64,
    /// ISO 4217.
    pub currency: Currency,
    /// Minor units.
    pub delta_minor: i64,
    /// What stands on the account afterwards.
    pub balance_minor: i64,
    /// What it moved for.
    pub cause: &'a RecordId,
    /// When.
    pub at: Timestamp,
}

/// Writes an entry. That all entries of a transaction come to zero is looked at when it commits.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(connection: &mut PgConnection, new: &NewEntry<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into ledger_entries
             (id, project_id, transaction_id, balance_id, balance_version, currency, delta_minor, balance_minor,
              cause, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(Uuid::now_v7())
    .bind(new.project.uuid())
    .bind(new.transaction_id)
    .bind(new.balance)
    .bind(new.version)
    .bind(new.currency.as_str())
    .bind(new.delta_minor)
    .bind(new.balance_minor)
    .bind(new.cause.to_string())
    .bind(new.at.into_inner())
    .execute(connection)
    .await
    .map(drop)
}

/// The balance of an account in a currency, locked until the transaction ends. Where there is none, nobody
/// else makes it meanwhile.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock_balance(
    connection: &mut PgConnection,
    module: &Module,
    project: ProjectId,
    account: &str,
    currency: Currency,
) -> Result<Option<Record>, sqlx::Error> {
    let id = find_balance(connection, project, account, currency).await?;
    if let Some(id) = id {
        return super::records::lock(connection, module, project, None, id).await;
    }
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 6200))")
        .bind(format!("{} {account} {}", project.uuid(), currency.as_str()))
        .execute(&mut *connection)
        .await?;
    match find_balance(connection, project, account, currency).await? {
        Some(id) => super::records::lock(connection, module, project, None, id).await,
        None => Ok(None),
    }
}

async fn find_balance(
    connection: &mut PgConnection,
    project: ProjectId,
    account: &str,
    currency: Currency,
) -> Result<Option<Uuid>, sqlx::Error> {
    sqlx::query_scalar("select id from balances where project_id = $1 and account = $2 and currency = $3")
        .bind(project.uuid())
        .bind(account)
        .bind(currency.as_str())
        .fetch_optional(connection)
        .await
}
