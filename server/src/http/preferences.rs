//! `POST /preferences`: what a browser remembers without an account.

use std::fmt::Display;
use std::str::FromStr;

use axum::Form;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::HeaderMap;
use http::header::SET_COOKIE;
use serde::Deserialize;
use tidewatch_app::model::{Density, Theme};

use super::cookie::value;
use super::session_pages::local_path;
use crate::error::Error;

/// The cookie of the theme.
const THEME_COOKIE: &str = "tidewatch_theme";
/// The cookie of the density.
const DENSITY_COOKIE: &str = "tidewatch_density";

/// The form of the switches; each sends what it is for.
#[derive(Debug, Deserialize)]
pub struct PreferencesForm {
    theme: Option<String>,
    density: Option<String>,
    #[serde(default)]
    next: String,
}

/// Remembers what was chosen for a year and goes back.
///
/// # Errors
/// 422: there is no such theme or density, or nothing was chosen.
pub async fn post_preferences(Form(form): Form<PreferencesForm>) -> Result<Response, Error> {
    let chosen = [
        cookie::<Theme>("theme", THEME_COOKIE, form.theme.as_deref())?,
        cookie::<Density>("density", DENSITY_COOKIE, form.density.as_deref())?,
    ];
    if chosen.iter().all(Option::is_none) {
        return Err(Error::field("theme", "or density has to be chosen"));
    }
    let cookies = AppendHeaders(chosen.into_iter().flatten().map(|cookie| (SET_COOKIE, cookie)));
    Ok((cookies, Redirect::to(local_path(&form.next))).into_response())
}

/// The cookie that remembers a choice.
fn cookie<T: FromStr<Err: Display> + Display>(
    field: &str,
    name: &str,
    chosen: Option<&str>,
) -> Result<Option<String>, Error> {
    let Some(chosen) = chosen else { return Ok(None) };
    let choice: T = chosen.parse().map_err(|error| Error::field(field, error))?;
    Ok(Some(format!("{name}={choice}; Path=/; Max-Age=31536000; SameSite=Lax")))
}

/// The theme that the request's cookie asks for.
#[must_use]
pub fn theme(headers: &HeaderMap) -> Theme {
    remembered(headers, THEME_COOKIE)
}

/// The density that the request's cookie asks for.
#[must_use]
pub fn density(headers: &HeaderMap) -> Density {
    remembered(headers, DENSITY_COOKIE)
}

fn remembered<T: FromStr + Default>(headers: &HeaderMap, cookie: &str) -> T {
    value(headers, cookie).and_then(|chosen| chosen.parse().ok()).unwrap_or_default()
}
