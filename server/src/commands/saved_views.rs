//! Saved views: each belongs to the person who saved it, and nobody else sees it.

use tidewatch_events::id::{SavedViewId, UserId};
use uuid::Uuid;

use crate::access::Caller;
use crate::db;
use crate::db::saved_views::SavedViewRow;
use crate::error::Error;
use crate::state::AppState;

/// Most views of one person in a project.
pub const MOST_VIEWS: usize = 50;

/// Saves what a page shows under a name; one of the same name on the same page becomes this one.
///
/// # Errors
/// 401 for who is no person, 409 when there are [`MOST_VIEWS`] already, 422 for a name or an address that cannot
/// be one.
pub async fn save_view(
    state: &AppState,
    caller: &Caller,
    path: String,
    query: String,
    name: &str,
) -> Result<(), Error> {
    let user = person(caller)?;
    let name = name.trim().to_owned();
    if !(1..=60).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Error::field("name", "must be 1 to 60 characters"));
    }
    let page = path.strip_prefix('/').unwrap_or_default();
    let is_page = page.starts_with(|c: char| c.is_ascii_lowercase())
        && page.len() <= 100
        && page.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
    if !is_page {
        return Err(Error::field("path", "must be a page such as /settlements"));
    }
    if query.chars().count() > 2_000 || query.chars().any(|c| c.is_control() || c == '#' || c == '?') {
        return Err(Error::field(
            "query",
            "must be what stands behind the question mark, 2,000 characters at most",
        ));
    }
    let mut change = db::begin_change(&state.pool, caller.project()).await?;
    let known = db::saved_views::list(&mut change, caller.project(), user).await?;
    let is_known = known.iter().any(|view| view.path == path && view.name == name);
    if !is_known && known.len() >= MOST_VIEWS {
        return Err(Error::Refused(format!("you have {MOST_VIEWS} saved views already, which is the most")));
    }
    let view = SavedViewRow { id: Uuid::now_v7(), path, query, name };
    db::saved_views::save(&mut change, caller.project(), user, &view).await?;
    Ok(change.commit().await?)
}

/// Forgets one.
///
/// # Errors
/// 401 for who is no person, 404 when they have none of this id.
pub async fn forget_view(state: &AppState, caller: &Caller, id: SavedViewId) -> Result<(), Error> {
    let user = person(caller)?;
    let mut change = db::begin_change(&state.pool, caller.project()).await?;
    if !db::saved_views::delete(&mut change, user, id).await? {
        return Err(Error::NotFound(format!("saved view `{id}`")));
    }
    Ok(change.commit().await?)
}

fn person(caller: &Caller) -> Result<UserId, Error> {
    let member = caller.member.as_ref().ok_or(Error::Unauthenticated("a key is nobody"))?;
    Ok(UserId::from_uuid(member.user_id))
}
