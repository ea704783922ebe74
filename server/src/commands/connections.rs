//! Ending live connections.

use serde_json::json;
use tidewatch_app::model::Changed;
use tidewatch_events::Permission;
use tidewatch_events::id::ConnectionId;

use super::Origin;
use super::audit::{Change, note};
use crate::access::Caller;
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// Has a connection ended by the instance that has it, within a second or two.
///
/// # Errors
/// 403 without `connections.manage`, 404.
pub async fn end(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: ConnectionId,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::CONNECTIONS_MANAGE)?;
    state.presence.report().await?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let connection = db::connections::ask_to_end(&mut transaction, caller.project(), id)
        .await?
        .ok_or_else(|| Error::NotFound(format!("connection {id}")))?;
    let change = Change {
        action: "connection.end",
        target: id.to_string(),
        target_name: &connection.actor_name,
        before: Some(
            json!({ "actor": connection.actor, "kind": connection.kind, "channels": connection.channels }),
        ),
        after: None,
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    let message = format!("The connection of {} is being ended.", connection.actor_name);
    Ok(Changed { id: id.to_string(), message, secret: None })
}
