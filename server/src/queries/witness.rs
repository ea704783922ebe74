//! What the witness found.

use tidewatch_app::model::WitnessPage;
use tidewatch_events::Permission;

use crate::access::Caller;
use crate::db;
use crate::db::witness_runs;
use crate::error::Error;
use crate::state::AppState;

/// Runs that are shown.
const RUNS: u32 = 20;

/// The last runs and the newest report.
///
/// # Errors
/// 403 without `audit.view`.
pub async fn witness(state: &AppState, caller: &Caller) -> Result<WitnessPage, Error> {
    caller.require_manager(&Permission::AUDIT_VIEW)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    Ok(WitnessPage {
        runs: witness_runs::newest(&mut snapshot, caller.project(), RUNS).await?,
        report: witness_runs::newest_report(&mut snapshot, caller.project()).await?,
        may_run: caller.require_manager(&Permission::JOBS_ACT).is_ok(),
    })
}
