//! The project itself and its organizations.

use serde_json::json;
use tidewatch_app::model::Changed;
use tidewatch_events::Permission;
use tidewatch_events::id::OrganizationId;

use super::Origin;
use super::audit::{Change, note};
use crate::access::Caller;
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// Calls the project something else.
///
/// # Errors
/// 403, 422.
pub async fn rename(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    name: &str,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::PROJECT_MANAGE)?;
    let name = check_name(name)?;
    let project = caller.project();
    let mut transaction = db::begin_change(&state.pool, project).await?;
    let before = db::projects::rename(&mut transaction, project, name).await?;
    let change = Change {
        action: "project.rename",
        target: project.to_string(),
        target_name: name,
        before: Some(json!({ "name": before })),
        after: Some(json!({ "name": name })),
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(Changed {
        id: project.to_string(),
        message: format!("The project is now called {name}."),
        secret: None,
    })
}

/// Makes an organization.
///
/// # Errors
/// 403, 409 when there is one of this name, 422.
pub async fn create_organization(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    name: &str,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::PROJECT_MANAGE)?;
    let name = check_name(name)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let id = db::organizations::insert(&mut transaction, caller.project(), name)
        .await?
        .ok_or_else(|| taken(name))?;
    let change = Change {
        action: "organization.create",
        target: id.to_string(),
        target_name: name,
        before: None,
        after: Some(json!({ "name": name })),
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(Changed { id: id.to_string(), message: format!("{name} is made."), secret: None })
}

/// Calls an organization something else.
///
/// # Errors
/// 403, 404, 409 when there is one of this name, 422.
pub async fn rename_organization(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: OrganizationId,
    name: &str,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::PROJECT_MANAGE)?;
    let name = check_name(name)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let renamed = db::organizations::rename(&mut transaction, caller.project(), id, name).await;
    let before = match renamed {
        Err(sqlx::Error::Database(error)) if error.is_unique_violation() => return Err(taken(name)),
        other => other?.ok_or_else(|| Error::NotFound(format!("organization {id}")))?,
    };
    let change = Change {
        action: "organization.rename",
        target: id.to_string(),
        target_name: name,
        before: Some(json!({ "name": before })),
        after: Some(json!({ "name": name })),
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(Changed { id: id.to_string(), message: format!("{before} is now called {name}."), secret: None })
}

fn taken(name: &str) -> Error {
    Error::Refused(format!("there is an organization called {name} already"))
}

fn check_name(name: &str) -> Result<&str, Error> {
    let name = name.trim();
    if (1..=200).contains(&name.chars().count()) && !name.chars().any(char::is_control) {
        Ok(name)
    } else {
        Err(Error::field("name", "must be 1 to 200 characters"))
    }
}
