//! Who is signed in.

use leptos::prelude::*;

use crate::api::get_current_user;
use crate::error::AppError;
use crate::model::CurrentUser;

/// The person at the screen, as far as known.
pub type CurrentUserResource = Resource<Result<CurrentUser, AppError>>;

/// Asks once for all pages of the layout who is signed in.
pub fn provide_current_user() -> CurrentUserResource {
    let user = Resource::new(|| (), |()| get_current_user());
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
