//! Passwords: choosing one, and changing it.

use secrecy::{ExposeSecret, SecretString};
use tidewatch_events::id::UserId;

use super::Origin;
use super::access::{own_login, person};
use super::audit::{Change, note};
use crate::access::Caller;
use crate::access::login::LoginOrigin;
use crate::access::password;
use crate::access::throttle::Attempt;
use crate::db;
use crate::error::Error;
use crate::state::AppState;

/// Fewest characters of a password. Length is what counts; nothing else is asked for
/// ([NIST SP 800-63B, section 3.1.1.2](https://pages.nist.gov/800-63-4/sp800-63b.html)).
const MIN_CHARACTERS: usize = 12;
/// Most bytes: hashing more would be a way to keep the server busy.
const MAX_BYTES: usize = 1_024;

/// The hash of a password that will do.
///
/// # Errors
/// 422 for one that will not.
pub async fn choose(state: &AppState, field: &str, new: SecretString) -> Result<String, Error> {
    if new.expose_secret().chars().count() < MIN_CHARACTERS {
        return Err(Error::field(field, format!("must have {MIN_CHARACTERS} characters or more")));
    }
    if new.expose_secret().len() > MAX_BYTES {
        return Err(Error::field(field, format!("must have at most {MAX_BYTES} bytes")));
    }
    let permit =
        state.password_hashing.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    let hash = tokio::task::spawn_blocking(move || password::hash(&new))
        .await
        .map_err(|error| Error::Internal(error.to_string()))?
        .map_err(|error| Error::Internal(error.to_string()))?;
    drop(permit);
    Ok(hash)
}

/// Gives the caller another password and ends all their other logins: whoever had the old one is out.
///
/// # Errors
/// 409 for a key, 422 when the present password is wrong or the new one will not do, 429 after too
/// many wrong ones.
pub async fn change(
    state: &AppState,
    caller: &Caller,
    origin: &Origin,
    from: &LoginOrigin,
    current: SecretString,
    new: SecretString,
) -> Result<(), Error> {
    let user = person(caller)?;
    // Whoever finds an open session must not be able to try passwords on it.
    let attempt = Attempt::new(&state.digester, &caller.name, from.address);
    if let Some(wait) = attempt.must_wait(&state.access).await? {
        return Err(Error::throttled(wait));
    }
    if !is_right(state, user, current).await? {
        attempt.failed(&state.access).await?;
        return Err(Error::field("currentPassword", "is not your present password"));
    }
    attempt.succeeded(&state.access).await?;
    let hash = choose(state, "newPassword", new).await?;
    let (session, family) = own_login(caller);
    let mut transaction = db::begin_change(&state.access, caller.project()).await?;
    db::users::set_password(&mut transaction, user, &hash).await?;
    db::sessions::end_others(&mut transaction, user, session, family).await?;
    let change = Change {
        action: "password.change",
        target: user.to_string(),
        target_name: &caller.name,
        before: None,
        after: None,
    };
    note(&mut transaction, caller, origin, change).await?;
    transaction.commit().await?;
    Ok(())
}

async fn is_right(state: &AppState, user: UserId, password: SecretString) -> Result<bool, Error> {
    let found = db::users::find_password(&mut *state.access.acquire().await?, user).await?;
    let permit =
        state.password_hashing.acquire().await.map_err(|error| Error::Internal(error.to_string()))?;
    let verify = move || {
        password::verify(&password, found.as_ref().map(|credentials| credentials.password_hash.as_str()))
    };
    let right =
        tokio::task::spawn_blocking(verify).await.map_err(|error| Error::Internal(error.to_string()))?;
    drop(permit);
    Ok(right)
}
