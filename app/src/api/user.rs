//! Who is signed in.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use tidewatch_events::id::SavedViewId;

use super::text::JsonText;
use crate::error::AppError;
use crate::model::CurrentUser;

/// Who is signed in.
#[server(prefix = "/fn", endpoint = "get_current_user", input = GetUrl, output = JsonText)]
pub async fn get_current_user(project: String) -> Result<CurrentUser, AppError> {
    crate::backend::use_backend()?.in_project(&project).current_user().await
}

/// Saves what a page shows under a name.
#[server(prefix = "/fn", endpoint = "save_view", output = JsonText)]
pub async fn save_view(
    project: String,
    path: String,
    #[server(default)] query: String,
    name: String,
) -> Result<(), AppError> {
    crate::backend::use_backend()?.in_project(&project).save_view(path, query, &name).await
}

/// Forgets a saved view.
#[server(prefix = "/fn", endpoint = "forget_view", output = JsonText)]
pub async fn forget_view(project: String, id: SavedViewId) -> Result<(), AppError> {
    crate::backend::use_backend()?.in_project(&project).forget_view(id).await
}
