//! The witness looks when somebody asks.

use tidewatch_app::model::Changed;
use tidewatch_events::Permission;

use super::Origin;
use super::audit::{Change, note};
use crate::access::Caller;
use crate::db;
use crate::error::Error;
use crate::jobs::run_witness;
use crate::state::AppState;

/// Has the witness compare tables and events now. Where it is about to already, that will do.
///
/// # Errors
/// 403 without `audit.view` and `jobs.act`.
pub async fn run(state: &AppState, caller: &Caller, origin: &Origin) -> Result<Changed, Error> {
    caller.require_manager(&Permission::AUDIT_VIEW)?;
    caller.require_manager(&Permission::JOBS_ACT)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let job = run_witness::enqueue_at_once(&mut transaction, caller.project()).await?;
    let change = Change {
        action: "witness.run",
        target: job.to_string(),
        target_name: "witness",
        before: None,
        after: None,
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    state.jobs.wake_workers();
    Ok(Changed { id: job.to_string(), message: "The witness looks now.".to_owned(), secret: None })
}
