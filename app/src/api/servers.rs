//! Watched servers, beside what they have in common with other records.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use super::text::JsonText;
use crate::error::AppError;
use crate::model::{ServerCheck, Snapshot};

/// The last checks of a server, newest first.
#[server(prefix = "/fn", endpoint = "get_server_checks", input = GetUrl, output = JsonText)]
pub async fn get_server_checks(project: String, id: String) -> Result<Snapshot<Vec<ServerCheck>>, AppError> {
    crate::backend::use_backend()?.in_project(&project).server_checks(&id).await
}
