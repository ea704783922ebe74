//! API keys.

use secrecy::ExposeSecret;
use serde_json::json;
use sqlx::PgConnection;
use tidewatch_app::model::{ApiKey, Changed};
use tidewatch_events::id::{ApiKeyId, UserId};
use tidewatch_events::{Permission, ProjectId};
use time::{Duration, OffsetDateTime};

use super::Origin;
use super::audit::{Change, note};
use super::people::may_give;
use crate::access::Caller;
use crate::access::roles::scope_permissions;
use crate::access::secret::{Digester, hint_of, new_api_key};
use crate::db;
use crate::db::api_keys::NewApiKey;
use crate::domain::Modules;
use crate::error::Error;
use crate::jobs::revoke_key::enqueue_revocation;
use crate::state::AppState;

/// Longest life of a key, in days.
const MAX_DAYS: u32 = 3_650;
/// Longest time for which an old key counts beside the new one, in hours.
const MAX_OVERLAP_HOURS: u32 = 30 * 24;

/// Makes a key.
///
/// # Errors
/// 403 when it would allow more than the caller may, 422.
pub async fn create(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    name: &str,
    scopes: Vec<String>,
    expires_in_days: Option<u32>,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::KEYS_MANAGE)?;
    let name = name.trim();
    let scopes = check(&state.modules, name, scopes, expires_in_days)?;
    may_give(caller, &scope_permissions(scopes.iter().map(String::as_str)))?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let maker = Maker::of(state, caller);
    let (key, secret) = make(&mut transaction, maker, name, &scopes, expires_in_days).await?;
    let id = key.id;
    let change = Change {
        action: "api_key.create",
        target: id.to_string(),
        target_name: name,
        before: None,
        after: Some(json!(key)),
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(Changed { id: id.to_string(), message: format!("{name} is made. {SHOWN_ONCE}"), secret: Some(secret) })
}

/// What is said of a secret that is shown.
const SHOWN_ONCE: &str = "Copy the key now: it is not kept here and cannot be shown again.";

/// Makes a key that takes another's place; both count until the overlap is over.
///
/// # Errors
/// 403, 404, 422.
pub async fn rotate(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: ApiKeyId,
    overlap_hours: u32,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::KEYS_MANAGE)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let before = find(&mut transaction, caller.project(), id).await?;
    may_give(caller, &scope_permissions(before.scopes.iter().map(String::as_str)))?;
    let maker = Maker::of(state, caller);
    let (new, secret) = replace(&mut transaction, maker, &before, overlap_hours).await?;
    let after = find(&mut transaction, caller.project(), id).await?;
    let change = Change {
        action: "api_key.rotate",
        target: id.to_string(),
        target_name: &before.name,
        before: Some(json!(before)),
        after: Some(json!(after)),
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    let message = match overlap_hours {
        0 => format!("The old key counts no longer. {SHOWN_ONCE}"),
        hours => format!("The old key counts for {hours} hours yet. {SHOWN_ONCE}"),
    };
    Ok(Changed { id: new.to_string(), message, secret: Some(secret) })
}

/// Deletes a key.
///
/// # Errors
/// 403, 404.
pub async fn delete(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    id: ApiKeyId,
) -> Result<Changed, Error> {
    caller.require_manager(&Permission::KEYS_MANAGE)?;
    let mut transaction = db::begin_change(&state.pool, caller.project()).await?;
    let before = find(&mut transaction, caller.project(), id).await?;
    remove(&mut transaction, caller.project(), id).await?;
    let change = Change {
        action: "api_key.delete",
        target: id.to_string(),
        target_name: &before.name,
        before: Some(json!(before)),
        after: None,
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    state.jobs.wake_workers();
    Ok(Changed {
        id: id.to_string(),
        message: format!("{} is deleted and counts no longer.", before.name),
        secret: None,
    })
}

/// Ends a key, and has everyone leave who is connected on its word.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn remove(connection: &mut PgConnection, project: ProjectId, id: ApiKeyId) -> Result<(), Error> {
    db::api_keys::delete(connection, project, id).await?;
    enqueue_revocation(connection, project, id, OffsetDateTime::now_utc()).await
}

/// Who makes a key, and where.
#[derive(Debug, Clone, Copy)]
pub struct Maker<'a> {
    /// Makes the digest that is kept.
    pub digester: &'a Digester,
    /// Whose key it is.
    pub project: ProjectId,
    /// What the maker is called.
    pub name: &'a str,
    /// Which person makes it, by themselves or by a key of theirs.
    pub person: Option<UserId>,
}

impl<'a> Maker<'a> {
    fn of(state: &'a AppState, caller: &'a Caller) -> Self {
        Self {
            digester: &state.digester,
            project: caller.project(),
            name: &caller.name,
            person: caller.person,
        }
    }
}

/// Writes a new key; its secret is in the answer and nowhere else.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn make(
    connection: &mut PgConnection,
    maker: Maker<'_>,
    name: &str,
    scopes: &[String],
    expires_in_days: Option<u32>,
) -> Result<(ApiKey, String), Error> {
    let expires_at = expires_in_days.map(|days| OffsetDateTime::now_utc() + Duration::days(days.into()));
    let (id, secret) = insert(connection, maker, name, scopes, expires_at).await?;
    Ok((find(connection, maker.project, id).await?, secret))
}

/// Writes a key that takes the place of `old`, which counts for some hours yet.
///
/// # Errors
/// 409 when the old one has expired, 422 for too many hours.
pub async fn replace(
    connection: &mut PgConnection,
    maker: Maker<'_>,
    old: &ApiKey,
    overlap_hours: u32,
) -> Result<(ApiKeyId, String), Error> {
    if overlap_hours > MAX_OVERLAP_HOURS {
        return Err(Error::field("overlapHours", format!("must be 0 to {MAX_OVERLAP_HOURS}")));
    }
    if old.expired {
        return Err(Error::Refused(format!("{} has expired; make a new key instead", old.name)));
    }
    // The new one lives as long as the old one was meant to, from now on.
    let life = old.expires_at.map(|end| end.into_inner() - old.created_at.into_inner());
    let now = OffsetDateTime::now_utc();
    let (new, secret) =
        insert(connection, maker, &old.name, &old.scopes, life.map(|life| now + life)).await?;
    let until = now + Duration::hours(overlap_hours.into());
    db::api_keys::rotate(connection, maker.project, old.id, new, until).await?;
    enqueue_revocation(connection, maker.project, old.id, until).await?;
    Ok((new, secret))
}

async fn insert(
    connection: &mut PgConnection,
    maker: Maker<'_>,
    name: &str,
    scopes: &[String],
    expires_at: Option<OffsetDateTime>,
) -> Result<(ApiKeyId, String), Error> {
    let secret = new_api_key();
    let new = NewApiKey {
        name,
        digest: &maker.digester.api_key(secret.expose_secret()),
        hint: hint_of(&secret),
        scopes,
        created_by: maker.name,
        person: maker.person,
        expires_at,
    };
    let id = db::api_keys::insert(connection, maker.project, &new).await?;
    if let Some(end) = expires_at {
        enqueue_revocation(connection, maker.project, id, end).await?;
    }
    Ok((id, secret.expose_secret().to_owned()))
}

/// A key of the project that is not deleted.
///
/// # Errors
/// 404.
pub async fn find(connection: &mut PgConnection, project: ProjectId, id: ApiKeyId) -> Result<ApiKey, Error> {
    db::api_keys::list(connection, project, Some(id))
        .await?
        .pop()
        .ok_or_else(|| Error::NotFound(format!("API key {id}")))
}

/// Name, scopes and life of a new key, as they will be kept.
///
/// # Errors
/// 422.
pub fn check(
    modules: &Modules,
    name: &str,
    mut scopes: Vec<String>,
    days: Option<u32>,
) -> Result<Vec<String>, Error> {
    if !(1..=200).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        return Err(Error::field("name", "must be 1 to 200 characters"));
    }
    if days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        return Err(Error::field("expiresInDays", format!("must be 1 to {MAX_DAYS}")));
    }
    scopes.sort();
    scopes.dedup();
    if scopes.is_empty() {
        return Err(Error::field("scopes", "must name at least one scope"));
    }
    let known = |scope: &String| scope == "*" || modules.permission(scope).is_some();
    if let Some(unknown) = scopes.iter().find(|scope| !known(scope)) {
        return Err(Error::field("scopes", format!("`{unknown}` is no scope: give `*` or permissions")));
    }
    Ok(scopes)
}
