//! `POST /preferences`: what a browser remembers without an account.

use axum::Form;
use axum::response::{IntoResponse, Redirect, Response};
use http::HeaderMap;
use http::header::{COOKIE, SET_COOKIE};
use serde::Deserialize;
use tidewatch_app::model::Theme;

use super::session_pages::local_path;
use crate::error::Error;

/// The cookie of the theme.
const THEME_COOKIE: &str = "tidewatch_theme";

/// The form of the theme switch.
#[derive(Debug, Deserialize)]
pub struct PreferencesForm {
    theme: String,
    #[serde(default)]
    next: String,
}

/// Remembers the theme for a year and goes back.
///
/// # Errors
/// 422: there is no such theme.
pub async fn post_preferences(Form(form): Form<PreferencesForm>) -> Result<Response, Error> {
    let theme: Theme = form.theme.parse().map_err(|error| Error::field("theme", error))?;
    let cookie = format!("{THEME_COOKIE}={theme}; Path=/; Max-Age=31536000; SameSite=Lax");
    Ok(([(SET_COOKIE, cookie)], Redirect::to(local_path(&form.next))).into_response())
}

/// The theme that the request's cookie asks for.
#[must_use]
pub fn theme(headers: &HeaderMap) -> Theme {
    headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(name, _)| *name == THEME_COOKIE)
        .and_then(|(_, theme)| theme.parse().ok())
        .unwrap_or_default()
}
