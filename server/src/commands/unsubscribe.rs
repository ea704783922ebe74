//! Somebody wants no more e-mail, by the link of one that they got.

use serde_json::json;
use tidewatch_events::access::Actor;

use crate::db;
use crate::db::audit::NewAuditEntry;
use crate::error::Error;
use crate::state::AppState;

/// Turns the e-mail of the person off whose token this is, in the token's project, and says whether it is anybody's.
/// Done twice, it is done once, and noted once.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn unsubscribe(state: &AppState, token: &str, request_id: &str) -> Result<bool, Error> {
    let Some((project, user)) = state.outside.unsubscribe.read(token) else { return Ok(false) };
    // Nobody is signed in: the token says who it is about, and this is all that it opens.
    let mut transaction = db::begin_change(&state.access, project).await?;
    match db::notifications::outside::turn_email_off(&mut transaction, project, user).await? {
        None => return Ok(false),
        Some(false) => return Ok(true),
        Some(true) => {}
    }
    let email = db::users::email_of(&mut transaction, user).await?.unwrap_or_default();
    let entry = NewAuditEntry {
        project,
        actor: &Actor::User(user).to_string(),
        actor_name: &email,
        action: "notifications.unsubscribe",
        target: &user.to_string(),
        target_name: &email,
        before: None,
        after: Some(json!({ "email": "off" })),
        request_id,
    };
    db::audit::insert(&mut transaction, &entry).await?;
    transaction.commit().await?;
    Ok(true)
}
