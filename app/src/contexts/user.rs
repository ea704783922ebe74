//! Who is signed in.

use leptos::prelude::*;

use crate::api::get_current_user;
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::live::use_live_client;
use crate::model::CurrentUser;

/// The person at the screen, as far as known.
pub type CurrentUserResource = Resource<Result<CurrentUser, AppError>>;

/// Asks for all pages of the layout who is signed in, and again when that may have changed.
pub fn provide_current_user() -> CurrentUserResource {
    let project = use_project();
    let live = use_live_client();
    let rights = live.rights();
    let user = Resource::new(move || rights.get(), move |_| get_current_user(project.slug()));
    Effect::new(move |_| {
        if let Some(user) = user.get() {
            live.share_with_tabs_of(user.as_ref().ok());
        }
    });
    provide_context(user);
    user
}

/// Who is signed in.
///
/// # Panics
/// Outside of the dashboard's layout.
#[must_use]
pub fn use_current_user() -> CurrentUserResource {
    expect_context()
}
