//! People, roles, keys, sessions and the audit log.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;

use super::text::JsonText;
use crate::error::AppError;
use crate::model::{
    ApiKeyPage, ApiKeyQuery, AuditPage, AuditQuery, Changed, Organization, People, PeopleQuery,
    ProjectChange, Session, Snapshot,
};

/// A page of who is in the project, and as what.
#[server(prefix = "/fn", endpoint = "get_people", input = GetUrl, output = JsonText)]
pub async fn get_people(
    project: String,
    #[server(default)] query: PeopleQuery,
) -> Result<Snapshot<People>, AppError> {
    crate::backend::use_backend()?.in_project(&project).people(query).await
}

/// The project's organizations.
#[server(prefix = "/fn", endpoint = "list_organizations", input = GetUrl, output = JsonText)]
pub async fn list_organizations(project: String) -> Result<Snapshot<Vec<Organization>>, AppError> {
    crate::backend::use_backend()?.in_project(&project).organizations().await
}

/// A page of the project's API keys.
#[server(prefix = "/fn", endpoint = "list_api_keys", input = GetUrl, output = JsonText)]
pub async fn list_api_keys(
    project: String,
    #[server(default)] query: ApiKeyQuery,
) -> Result<Snapshot<ApiKeyPage>, AppError> {
    crate::backend::use_backend()?.in_project(&project).api_keys(query).await
}

/// The logins of the person who asks.
#[server(prefix = "/fn", endpoint = "list_sessions", input = GetUrl, output = JsonText)]
pub async fn list_sessions(project: String) -> Result<Snapshot<Vec<Session>>, AppError> {
    crate::backend::use_backend()?.in_project(&project).sessions().await
}

/// A page of the audit log.
#[server(prefix = "/fn", endpoint = "list_audit_entries", input = GetUrl, output = JsonText)]
pub async fn list_audit_entries(
    project: String,
    #[server(default)] query: AuditQuery,
) -> Result<Snapshot<AuditPage>, AppError> {
    crate::backend::use_backend()?.in_project(&project).audit(query).await
}

/// Changes something in the project.
#[server(prefix = "/fn", endpoint = "change_project", output = JsonText)]
pub async fn change_project(project: String, change: ProjectChange) -> Result<Changed, AppError> {
    crate::backend::use_backend()?.in_project(&project).change_project(change).await
}
