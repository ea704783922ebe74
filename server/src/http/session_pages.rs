//! `POST /login` and `POST /logout`: plain forms, which work without JavaScript.

use axum::Form;
use axum::extract::State;
use axum::response::Redirect;
use secrecy::SecretString;
use serde::Deserialize;
use tower_sessions::Session;

use crate::access::login;
use crate::error::Error;
use crate::state::AppState;

/// The form of the login page.
#[derive(Debug, Deserialize)]
pub struct LoginForm {
    email: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

/// Signs in and goes on to `next`, or back to the form with what was wrong.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn post_login(
    State(state): State<AppState>,
    session: Session,
    Form(form): Form<LoginForm>,
) -> Result<Redirect, Error> {
    let next = local_path(&form.next);
    if login::sign_in(&state, &session, form.email.trim(), form.password).await? {
        return Ok(Redirect::to(next));
    }
    let query = serde_urlencoded::to_string([("error", "credentials"), ("next", next)])
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Redirect::to(&format!("/login?{query}")))
}

/// Ends the session.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn post_logout(session: Session) -> Result<Redirect, Error> {
    session.flush().await?;
    Ok(Redirect::to("/login"))
}

/// `next` when it is a path of this site, else the first page: a login must not send people away.
#[must_use]
pub fn local_path(next: &str) -> &str {
    // Browsers read `//host` and `/\host` as another site, and drop tabs and line ends within.
    let elsewhere = next.starts_with("//") || next.contains('\\') || next.chars().any(char::is_control);
    if next.starts_with('/') && !elsewhere { next } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn never_sends_people_away() {
        assert_eq!(local_path("/settlements?status=failed"), "/settlements?status=failed");
        for next in
            ["", "https://evil.test", "//evil.test", "/\\evil.test", "/\t/evil.test", "javascript:alert(1)"]
        {
            assert_eq!(local_path(next), "/", "{next:?}");
        }
    }
}
