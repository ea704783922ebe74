//! Money: balances against the ledger, and all of it against zero.

use sqlx::PgConnection;
use tidewatch_app::model::{WitnessMoney, WitnessReport};
use tidewatch_events::ProjectId;
use tidewatch_modules::Record;

use super::fold::Fold;
use super::tally::{Tally, shortened};
use crate::db;

/// Compares a balance with its entries.
pub(super) async fn compare(
    connection: &mut PgConnection,
    row: &Record,
    fold: &mut Fold<'_>,
) -> Result<(), sqlx::Error> {
    let ledger = db::witness::ledger_of_balance(connection, row.id.uuid(), fold.first_version()).await?;
    let stands = row.number("balanceMinor").unwrap_or_default();
    if ledger.sum != i128::from(stands) {
        let sum = ledger.sum;
        fold.faults.add(format!("balanceMinor: the table says {stands}, the ledger's entries come to {sum}"));
    }
    if ledger.sum_since != fold.deltas() {
        let (entries, events) = (ledger.sum_since, fold.deltas());
        fold.faults.add(format!("the ledger's entries come to {entries}, the events' deltas to {events}"));
    }
    if ledger.entries != row.version {
        let (entries, version) = (ledger.entries, row.version);
        fold.faults.add(format!("at version {version} it has {entries} entries in the ledger"));
    }
    Ok(())
}

/// Looks whether all of it comes to zero: movement by movement, and currency by currency.
pub(super) async fn look(
    connection: &mut PgConnection,
    project: ProjectId,
    tally: &mut Tally,
) -> Result<Vec<WitnessMoney>, sqlx::Error> {
    let (movements, count) =
        db::witness::unbalanced_movements(connection, project, WitnessReport::MAX_DRIFTS).await?;
    let named = movements.len();
    for (id, currency, sum) in movements {
        tally.add(&id.to_string(), format!("a movement of money comes to {sum} {currency}, and not to zero"));
    }
    tally.add_unnamed(count.saturating_sub(u64::try_from(named).unwrap_or(u64::MAX)));
    let sums = db::witness::sums_by_currency(connection, project).await?;
    for sum in sums.iter().filter(|sum| sum.sum != 0) {
        let what = format!("all accounts in {} come to {}, and not to zero", sum.currency, sum.sum);
        tally.add(&sum.currency, what);
    }
    Ok(sums
        .into_iter()
        .map(|sum| WitnessMoney {
            currency: sum.currency,
            accounts: sum.accounts.unsigned_abs(),
            debit_minor: shortened(sum.debit),
            sum_minor: shortened(sum.sum),
        })
        .collect())
}
