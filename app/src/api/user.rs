//! Who is signed in.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::model::CurrentUser;

/// Who is signed in.
#[server(prefix = "/fn", endpoint = "get_current_user", input = GetUrl)]
pub async fn get_current_user(project: String) -> Result<CurrentUser, AppError> {
    crate::backend::use_backend()?.in_project(&project).current_user().await
}
