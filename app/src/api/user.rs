//! Who is signed in.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::model::CurrentUser;

/// Who is signed in.
#[server(prefix = "/fn", endpoint = "get_current_user", input = GetUrl)]
pub async fn get_current_user() -> Result<CurrentUser, AppError> {
    crate::backend::use_backend()?.current_user().await
}
