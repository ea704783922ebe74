//! The first page.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use crate::error::AppError;
use crate::model::{Overview, Snapshot};

/// What the first page shows.
#[server(prefix = "/fn", endpoint = "get_overview", input = GetUrl)]
pub async fn get_overview(project: String) -> Result<Snapshot<Overview>, AppError> {
    crate::backend::use_backend()?.in_project(&project).overview().await
}
