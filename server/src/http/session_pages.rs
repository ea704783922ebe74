//! Login, logout, passwords and invitations: plain forms, which work without JavaScript.

use axum::Form;
use axum::extract::State;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::StatusCode;
use http::header::{REFRESH, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tower_sessions::Session;

use crate::access::Caller;
use crate::access::login::{self, Login, LoginOrigin};
use crate::commands::invitation::{self, Accepted};
use crate::commands::password;
use crate::error::Error;
use crate::http::origin::ReadOrigin;
use crate::http::push_cookie::{PushCookie, SetCookie};
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
    origin: LoginOrigin,
    push: PushCookie,
    Form(form): Form<LoginForm>,
) -> Result<Response, Error> {
    let next = local_path(&form.next);
    let (error, wait) = match login::check(&state, form.email.trim(), form.password, &origin).await? {
        Login::Right(user) => {
            login::begin_session(&state, &session, user, &origin, push.login).await?;
            return Ok((push.keep(push.login), Redirect::to(next)).into_response());
        }
        Login::Wrong => ("credentials", None),
        Login::Throttled(wait) => ("throttled", Some(wait)),
    };
    let wait = wait.map(|wait| (wait.whole_seconds() + 1).to_string());
    let mut query = vec![("error", error), ("next", next)];
    query.extend(wait.as_deref().map(|wait| ("wait", wait)));
    let query = serde_urlencoded::to_string(query).map_err(|error| Error::Internal(error.to_string()))?;
    let page = Redirect::to(&format!("/login?{query}"));
    Ok(match wait {
        None => page.into_response(),
        Some(wait) => too_many(&wait, &format!("/login?{query}")),
    })
}

/// 429 with `Retry-After` for programs, and for people the way back to the form, which says how
/// long to wait.
fn too_many(wait: &str, form: &str) -> Response {
    let headers = [(RETRY_AFTER, wait.to_owned()), (REFRESH, format!("0;url={form}"))];
    let escaped = form.replace('&', "&amp;");
    let page = format!(
        "<!DOCTYPE html><title>Too many attempts</title>\
         <p>Too many attempts. Wait {wait} seconds, then <a href=\"{escaped}\">try again</a>."
    );
    (StatusCode::TOO_MANY_REQUESTS, headers, Html(page)).into_response()
}

/// The form of a new password.
#[derive(Debug, Deserialize)]
pub struct PasswordForm {
    current_password: SecretString,
    new_password: SecretString,
    #[serde(default)]
    next: String,
}

/// Changes one's password and goes back to where the form stands, with what came of it.
///
/// # Errors
/// 401 without a session; Postgres cannot be reached.
pub async fn post_password(
    State(state): State<AppState>,
    session: Session,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    from: LoginOrigin,
    Form(form): Form<PasswordForm>,
) -> Result<Redirect, Error> {
    let changed =
        password::change(&state, &caller, &origin, &from, form.current_password, form.new_password).await;
    let said = match changed {
        Ok(()) => {
            // Who knew the old password may know this session's id too.
            session.cycle_id().await?;
            "changed"
        }
        Err(Error::Throttled(_)) => "throttled",
        Err(Error::Fields(fields)) if fields.iter().any(|field| field.name() == "currentPassword") => "wrong",
        Err(Error::Fields(_)) => "short",
        Err(error) => return Err(error),
    };
    Ok(Redirect::to(&said_at(local_path(&form.next), "password", said)))
}

/// The form of an invitation.
#[derive(Debug, Deserialize)]
pub struct InvitationForm {
    token: SecretString,
    #[serde(default)]
    name: String,
    password: SecretString,
}

/// Joins a project by an invitation and goes there, or back to the form with what was wrong.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn post_invitation(
    State(state): State<AppState>,
    session: Session,
    ReadOrigin(origin): ReadOrigin,
    from: LoginOrigin,
    push: PushCookie,
    Form(form): Form<InvitationForm>,
) -> Result<Response, Error> {
    let token = form.token.expose_secret();
    let accepted =
        invitation::accept(&state, token, &form.name, form.password, &from, &origin.request_id).await;
    let error = match accepted {
        Ok(Accepted::Joined { user, project }) => {
            login::begin_session(&state, &session, user, &from, push.login).await?;
            let first = Redirect::to(&format!("/?project={project}"));
            return Ok((push.keep(push.login), first).into_response());
        }
        Ok(Accepted::Gone) => return Ok(Redirect::to("/invitation?error=gone").into_response()),
        Ok(Accepted::WrongPassword) => "password",
        Err(Error::Throttled(_)) => "throttled",
        Err(Error::Fields(fields)) if fields.iter().any(|field| field.name() == "name") => "name",
        Err(Error::Fields(_)) => "short",
        Err(error) => return Err(error),
    };
    let query = serde_urlencoded::to_string([("token", token), ("error", error)])
        .map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Redirect::to(&format!("/invitation?{query}")).into_response())
}

/// `path` with one more parameter.
fn said_at(path: &str, name: &str, value: &str) -> String {
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}{name}={value}")
}

/// Ends the session.
///
/// # Errors
/// Postgres cannot be reached.
pub async fn post_logout(
    State(state): State<AppState>,
    session: Session,
    push: PushCookie,
) -> Result<(SetCookie, Redirect), Error> {
    login::end_session(&state, &session, push.login).await?;
    Ok((push.forget(), Redirect::to("/login")))
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
