//! The first page.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use super::text::JsonText;
use crate::error::AppError;
use crate::model::{Overview, Snapshot, TimeRange};

/// What the first page shows, its charts over `range`.
#[server(prefix = "/fn", endpoint = "get_overview", input = GetUrl, output = JsonText)]
pub async fn get_overview(
    project: String,
    #[server(default)] range: TimeRange,
) -> Result<Snapshot<Overview>, AppError> {
    crate::backend::use_backend()?.in_project(&project).overview(range).await
}
