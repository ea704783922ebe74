//! Signing in by e-mail and password.

use secrecy::SecretString;
use tidewatch_events::id::UserId;
use tower_sessions::Session;

use super::{password, session_store::USER_ID_KEY};
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// Checks the password and, when it is right, puts the person into the session, under a new
/// session id (so that an id planted before the login is worth nothing). `false`: it is wrong.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn sign_in(
    state: &AppState,
    session: &Session,
    email: &str,
    password: SecretString,
) -> Result<bool, Error> {
    let found = db::users::find_credentials(&mut *state.pool.acquire().await?, email).await?;
    let hash = found.as_ref().map(|credentials| credentials.password_hash.clone());
    // Few at a time: each takes 19 MiB and some 20 ms, and logins must not starve the rest.
    let permit =
        state.password_hashing.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    let right = tokio::task::spawn_blocking(move || password::verify(&password, hash.as_deref()))
        .await
        .map_err(|error| Error::Internal(error.to_string()))?;
    drop(permit);
    let Some(credentials) = found.filter(|_| right) else { return Ok(false) };
    session.cycle_id().await?;
    session.insert(USER_ID_KEY, UserId::from_uuid(credentials.id)).await?;
    Ok(true)
}
