//! Connections, channels, jobs, webhooks and the witness.

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use tidewatch_events::Channel;
use tidewatch_events::id::{JobId, WebhookDeliveryId, WebhookId};

use super::text::JsonText;
use crate::error::AppError;
use crate::model::{
    Channels, ConnectionPage, ConnectionQuery, Job, JobPage, JobQuery, Snapshot, SystemStatus, Webhook,
    WebhookDeliveryDetail, WebhookDetail, WebhookQuery, WitnessPage,
};

/// A page of the project's live connections.
#[server(prefix = "/fn", endpoint = "list_connections", input = GetUrl, output = JsonText)]
pub async fn list_connections(
    project: String,
    #[server(default)] query: ConnectionQuery,
) -> Result<Snapshot<ConnectionPage>, AppError> {
    crate::backend::use_backend()?.in_project(&project).connections(query).await
}

/// The project's channels, and the one that is looked at.
#[server(prefix = "/fn", endpoint = "list_channels", input = GetUrl, output = JsonText)]
pub async fn list_channels(
    project: String,
    #[server(default)] selected: Option<Channel>,
) -> Result<Snapshot<Channels>, AppError> {
    crate::backend::use_backend()?.in_project(&project).channels(selected).await
}

/// A page of the project's jobs.
#[server(prefix = "/fn", endpoint = "list_jobs", input = GetUrl, output = JsonText)]
pub async fn list_jobs(
    project: String,
    #[server(default)] query: JobQuery,
) -> Result<Snapshot<JobPage>, AppError> {
    crate::backend::use_backend()?.in_project(&project).jobs(query).await
}

/// One job.
#[server(prefix = "/fn", endpoint = "get_job", input = GetUrl, output = JsonText)]
pub async fn get_job(project: String, id: JobId) -> Result<Snapshot<Job>, AppError> {
    crate::backend::use_backend()?.in_project(&project).job(id).await
}

/// The project's endpoints for webhooks.
#[server(prefix = "/fn", endpoint = "list_webhooks", input = GetUrl, output = JsonText)]
pub async fn list_webhooks(project: String) -> Result<Snapshot<Vec<Webhook>>, AppError> {
    crate::backend::use_backend()?.in_project(&project).webhooks().await
}

/// One endpoint with a page of its deliveries.
#[server(prefix = "/fn", endpoint = "get_webhook", input = GetUrl, output = JsonText)]
pub async fn get_webhook(
    project: String,
    id: WebhookId,
    #[server(default)] query: WebhookQuery,
) -> Result<Snapshot<WebhookDetail>, AppError> {
    crate::backend::use_backend()?.in_project(&project).webhook(id, query).await
}

/// One delivery with its attempts.
#[server(prefix = "/fn", endpoint = "get_webhook_delivery", input = GetUrl, output = JsonText)]
pub async fn get_webhook_delivery(
    project: String,
    webhook: WebhookId,
    id: WebhookDeliveryId,
) -> Result<WebhookDeliveryDetail, AppError> {
    crate::backend::use_backend()?.in_project(&project).webhook_delivery(webhook, id).await
}

/// What the witness found.
#[server(prefix = "/fn", endpoint = "get_witness", input = GetUrl, output = JsonText)]
pub async fn get_witness(project: String) -> Result<Snapshot<WitnessPage>, AppError> {
    crate::backend::use_backend()?.in_project(&project).witness().await
}

/// How Tidewatch itself does.
#[server(prefix = "/fn", endpoint = "get_system", input = GetUrl, output = JsonText)]
pub async fn get_system(project: String) -> Result<Snapshot<SystemStatus>, AppError> {
    crate::backend::use_backend()?.in_project(&project).system().await
}
