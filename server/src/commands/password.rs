//! Passwords: choosing one, and changing it.

use secrecy::{ExposeSecret, SecretString};

use super::Origin;
use super::audit::{Change, note};
use super::sessions::{own_login, person};
use crate::access::Caller;
use crate::access::login::{self, Login, LoginOrigin};
use crate::access::password;
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
    // Whoever finds an open session must not be able to try passwords on it: this counts as a login.
    match login::check(state, &caller.name, current, from).await? {
        Login::Right(_) => {}
        Login::Wrong => return Err(Error::field("currentPassword", "is not your present password")),
        Login::Throttled(wait) => return Err(Error::throttled(wait)),
    }
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
