//! What checks of a watched server came to.

use tidewatch_app::model::ServerCheck;
use tidewatch_events::id::ServerId;
use tidewatch_modules::Module;

use crate::access::Caller;
use crate::db;
use crate::error::Error;
use crate::http::api::records::read_id;
use crate::queries;
use crate::state::AppState;

/// The last checks of a server, newest first.
///
/// # Errors
/// 403 without `servers.read`, 404 for a server that is not there, or not for the caller.
pub async fn server_checks(
    state: &AppState,
    caller: &Caller,
    id: &str,
    limit: u32,
) -> Result<Vec<ServerCheck>, Error> {
    let module: &Module = state
        .modules
        .find("servers")
        .ok_or_else(|| Error::Internal("there is no module servers".to_owned()))?
        .module();
    caller.require(&module.read)?;
    let id = read_id(module, id)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    // Whose record it is says who may see what its checks came to.
    queries::records::find(&mut snapshot, caller, module, id).await?;
    let server = ServerId::from_uuid(id);
    Ok(db::server_checks::latest(&mut snapshot, caller.project(), server, limit).await?)
}
