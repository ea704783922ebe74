//! Roles of a project's own.

use serde_json::json;
use tidewatch_app::model::Changed;
use tidewatch_events::{Permission, PermissionSet};

use super::Origin;
use super::audit::{Change, note};
use super::people::may_give;
use crate::access::Caller;
use crate::access::roles::built_in;
use crate::db;
use crate::db::roles::RoleRow;
use crate::domain::Modules;
use crate::error::Error;
use crate::state::AppState;

/// A name that an audience means everybody of the project by.
const RESERVED: &str = "staff";

/// Makes a role, or says anew what it is.
///
/// # Errors
/// 403 when it would allow, or allows now, more than the caller may; 422.
pub async fn save(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    name: String,
    title: String,
    mut permissions: Vec<String>,
    project_wide: bool,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::PEOPLE_MANAGE)?;
    let title = title.trim().to_owned();
    check_name(&name)?;
    if !(1..=200).contains(&title.chars().count()) || title.chars().any(char::is_control) {
        return Err(Error::field("title", "must be 1 to 200 characters"));
    }
    permissions.sort();
    permissions.dedup();
    if permissions.is_empty() {
        return Err(Error::field("permissions", "must name at least one permission"));
    }
    may_give(caller, &read_permissions(&state.modules, &permissions)?)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let known = db::roles::list(&mut transaction, caller.project()).await?;
    let before = known.into_iter().find(|role| role.name == name);
    if let Some(before) = &before {
        // What it allows now counts as well: nobody makes those less who may more than oneself.
        may_give(caller, &before.permissions.iter().filter_map(|name| name.parse().ok()).collect())?;
    }
    let role = RoleRow { name, title, permissions, project_wide };
    db::roles::save(&mut transaction, caller.project(), &role).await?;
    let change = Change {
        action: if before.is_some() { "role.update" } else { "role.create" },
        target: format!("role:{}", role.name),
        target_name: &role.title,
        before: before.map(|role| describe(&role)),
        after: Some(describe(&role)),
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(Changed { id: role.name, message: format!("The role {} is saved.", role.title), secret: None })
}

/// Deletes a role that nobody has.
///
/// # Errors
/// 403, 404, 409 while somebody has it.
pub async fn delete(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    name: &str,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::PEOPLE_MANAGE)?;
    if built_in(name).is_some() {
        return Err(Error::Refused(format!("every project has the role {name}; it cannot be deleted")));
    }
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    db::people::lock(&mut transaction, caller.project()).await?;
    let before = db::roles::list(&mut transaction, caller.project())
        .await?
        .into_iter()
        .find(|role| role.name == name)
        .ok_or_else(|| Error::NotFound(format!("role {name}")))?;
    let counted = db::roles::count_members(&mut transaction, caller.project()).await?;
    if let Some((_, members)) = counted.iter().find(|(role, _)| role == name) {
        return Err(Error::Refused(format!("{members} of the project's people have the role {name}")));
    }
    db::roles::delete(&mut transaction, caller.project(), name).await?;
    let change = Change {
        action: "role.delete",
        target: format!("role:{name}"),
        target_name: &before.title,
        before: Some(describe(&before)),
        after: None,
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(Changed {
        id: name.to_owned(),
        message: format!("The role {} is deleted.", before.title),
        secret: None,
    })
}

fn describe(role: &RoleRow) -> serde_json::Value {
    json!({ "title": role.title, "permissions": role.permissions, "projectWide": role.project_wide })
}

fn check_name(name: &str) -> Result<(), Error> {
    if built_in(name).is_some() || name == RESERVED {
        return Err(Error::field("name", format!("`{name}` is the name of a role that every project has")));
    }
    let mut letters = name.bytes();
    let begins = letters.next().is_some_and(|first| first.is_ascii_lowercase());
    let goes_on =
        letters.all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'_');
    if begins && goes_on && name.len() <= 63 {
        Ok(())
    } else {
        Err(Error::field("name", "must be 1 to 63 of a-z, 0-9 and _, and begin with a letter"))
    }
}

/// Permissions by their names.
///
/// # Errors
/// 422 for a name that is none.
pub fn read_permissions(modules: &Modules, names: &[String]) -> Result<PermissionSet, Error> {
    let known = |name: &String| {
        let permission = modules.permission(name);
        permission.ok_or_else(|| Error::field("permissions", format!("`{name}` is no permission")))
    };
    names.iter().map(known).collect()
}
