//! The audit log's side of every command.

use serde_json::Value;
use sqlx::PgConnection;

use super::Origin;
use crate::access::Caller;
use crate::db;
use crate::db::audit::NewAuditEntry;
use crate::error::Error;

/// What was changed.
#[derive(Debug)]
pub struct Change<'a> {
    /// What was done, such as `role.update`.
    pub action: &'a str,
    /// The id of what was changed.
    pub target: String,
    /// What that is called.
    pub target_name: &'a str,
    /// What it was; `None` where it was not there.
    pub before: Option<Value>,
    /// What it became; `None` where it is gone.
    pub after: Option<Value>,
}

/// Notes who changed what, in the transaction that changes it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn note(
    connection: &mut PgConnection,
    caller: &Caller,
    origin: &Origin,
    change: Change<'_>,
) -> Result<(), Error> {
    let entry = NewAuditEntry {
        project: caller.project(),
        actor: &caller.actor.to_string(),
        actor_name: &caller.name,
        action: change.action,
        target: &change.target,
        target_name: change.target_name,
        before: change.before,
        after: change.after,
        request_id: &origin.request_id,
    };
    Ok(db::audit::insert(connection, &entry).await?)
}
