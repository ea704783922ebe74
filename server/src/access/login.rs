//! Signing in by e-mail and password.

use std::net::IpAddr;

use secrecy::SecretString;
use tidewatch_events::id::UserId;
use time::Duration;
use tower_sessions::Session;
use uuid::Uuid;

use super::password;
use super::session_store::{ADDRESS_KEY, CLIENT_KEY, PUSH_LOGIN_KEY, USER_ID_KEY};
use super::throttle::Attempt;
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// Where a login comes from.
#[derive(Debug, Clone, Default)]
pub struct LoginOrigin {
    /// The address, where it is known.
    pub address: Option<IpAddr>,
    /// What the client calls itself.
    pub client: String,
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Login {
    /// The password is right.
    Right(UserId),
    /// It is not, or there is nobody by that name, or they are disabled.
    Wrong,
    /// It was not looked at: so long the next attempt has to wait.
    Throttled(Duration),
}

/// Checks a password.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn check(
    state: &AppState,
    email: &str,
    password: SecretString,
    origin: &LoginOrigin,
) -> Result<Login, Error> {
    let attempt = Attempt::new(&state.digester, email, origin.address);
    // Few at a time: each takes 19 MiB and some 20 ms, and logins must not starve the rest. Behind
    // the gate, so that many attempts at once do not all slip through before the first one counts.
    let permit =
        state.password_hashing.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    if let Some(wait) = attempt.must_wait(&state.access).await? {
        return Ok(Login::Throttled(wait));
    }
    let found = db::users::find_credentials(&mut *state.access.acquire().await?, email).await?;
    let hash = found.as_ref().map(|credentials| credentials.password_hash.clone());
    let right = tokio::task::spawn_blocking(move || password::verify(&password, hash.as_deref()))
        .await
        .map_err(|error| Error::Internal(error.to_string()))?;
    let login = match found.filter(|_| right) {
        Some(credentials) => {
            attempt.succeeded(&state.access).await?;
            Login::Right(UserId::from_uuid(credentials.id))
        }
        None => {
            attempt.failed(&state.access).await?;
            Login::Wrong
        }
    };
    drop(permit);
    Ok(login)
}

/// Puts the person into the session, under a new session id: one that was planted before the login
/// is worth nothing. `push`: the login in which this browser was subscribed to Web Push, as it says itself. Whoever else
/// was told there is told no more; the person goes on with it, so that to sign out ends it also where the session in which
/// they subscribed has run out.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn begin_session(
    state: &AppState,
    session: &Session,
    user: UserId,
    origin: &LoginOrigin,
    push: Option<Uuid>,
) -> Result<(), Error> {
    // The session may be another person's until now.
    let before: Option<Uuid> = session.get(PUSH_LOGIN_KEY).await?;
    for login in [before, push].into_iter().flatten() {
        db::push_subscriptions::delete_of_others(&state.access, login, user).await?;
    }
    if let Some(login) = push {
        session.insert(PUSH_LOGIN_KEY, login).await?;
    }
    session.cycle_id().await?;
    session.insert(USER_ID_KEY, user).await?;
    session.insert(CLIENT_KEY, &origin.client).await?;
    session
        .insert(ADDRESS_KEY, origin.address.map(|address| address.to_string()).unwrap_or_default())
        .await?;
    Ok(())
}

/// By what the browsers are known that are subscribed to Web Push in a session.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn push_login(session: &Session) -> Result<Uuid, Error> {
    if let Some(login) = session.get(PUSH_LOGIN_KEY).await? {
        return Ok(login);
    }
    let login = Uuid::now_v7();
    session.insert(PUSH_LOGIN_KEY, login).await?;
    Ok(login)
}

/// Ends a session, and with it what its browsers are told by Web Push: whoever sits there next is not its person. `push`:
/// the login in which this browser was subscribed, as it says itself; the session may have run out, or be another one.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn end_session(state: &AppState, session: &Session, push: Option<Uuid>) -> Result<(), Error> {
    let own: Option<Uuid> = session.get(PUSH_LOGIN_KEY).await?;
    for login in [own, push].into_iter().flatten() {
        db::push_subscriptions::delete_of_login(&state.access, login).await?;
    }
    session.flush().await?;
    Ok(())
}
