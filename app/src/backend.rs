//! The port: what the UI asks of the server.

use std::sync::Arc;

use leptos::prelude::use_context;
use tidewatch_events::Channel;
use tidewatch_events::id::{JobId, SettlementId, WebhookDeliveryId, WebhookId};

use crate::error::AppError;
use crate::model::{
    ApiKey, AuditPage, AuditQuery, Changed, Channels, ConnectionPage, ConnectionQuery, CurrentUser, Job,
    JobPage, JobQuery, MoveRequest, NewSettlement, Organization, Overview, People, ProjectChange, Session,
    SettlementDetail, SettlementPage, SettlementQuery, SettlementRow, Snapshot, Theme, Webhook,
    WebhookDeliveryDetail, WebhookDetail, WebhookQuery,
};

/// What the UI asks of the server. One value a request, already bound to that request's session.
///
/// Every method authorizes by itself; a page that hides a button is no protection.
#[async_trait::async_trait]
pub trait Backend: Send + Sync + 'static {
    /// The same request's backend for the project with this slug; empty: the one that the person
    /// joined first.
    fn in_project(&self, slug: &str) -> BackendHandle;
    /// Who is signed in; [`AppError::Unauthenticated`] without a session.
    async fn current_user(&self) -> Result<CurrentUser, AppError>;
    /// What the first page shows.
    async fn overview(&self) -> Result<Snapshot<Overview>, AppError>;
    /// A page of settlements, newest first.
    async fn list_settlements(&self, query: SettlementQuery) -> Result<Snapshot<SettlementPage>, AppError>;
    /// One settlement with its history and the moves that this user may make now.
    async fn get_settlement(&self, id: SettlementId) -> Result<Snapshot<SettlementDetail>, AppError>;
    /// Asks for a settlement.
    async fn create_settlement(&self, new: NewSettlement) -> Result<SettlementRow, AppError>;
    /// Makes a move; [`AppError::Conflict`] when the settlement is no longer at the expected version.
    async fn move_settlement(
        &self,
        id: SettlementId,
        request: MoveRequest,
    ) -> Result<SettlementRow, AppError>;
    /// Who is in the project, and as what.
    async fn people(&self) -> Result<People, AppError>;
    /// The project's organizations.
    async fn organizations(&self) -> Result<Vec<Organization>, AppError>;
    /// The project's API keys.
    async fn api_keys(&self) -> Result<Vec<ApiKey>, AppError>;
    /// The logins of the person who asks.
    async fn sessions(&self) -> Result<Vec<Session>, AppError>;
    /// A page of the audit log.
    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, AppError>;
    /// A page of live connections, newest first.
    async fn connections(&self, query: ConnectionQuery) -> Result<Snapshot<ConnectionPage>, AppError>;
    /// The channels, and the one that is looked at.
    async fn channels(&self, selected: Option<Channel>) -> Result<Snapshot<Channels>, AppError>;
    /// A page of jobs, newest first.
    async fn jobs(&self, query: JobQuery) -> Result<Snapshot<JobPage>, AppError>;
    /// One job.
    async fn job(&self, id: JobId) -> Result<Snapshot<Job>, AppError>;
    /// The endpoints for webhooks.
    async fn webhooks(&self) -> Result<Snapshot<Vec<Webhook>>, AppError>;
    /// One endpoint with a page of its deliveries.
    async fn webhook(&self, id: WebhookId, query: WebhookQuery) -> Result<Snapshot<WebhookDetail>, AppError>;
    /// One delivery with its attempts.
    async fn webhook_delivery(
        &self,
        webhook: WebhookId,
        id: WebhookDeliveryId,
    ) -> Result<WebhookDeliveryDetail, AppError>;
    /// Changes something in the project.
    async fn change_project(&self, change: ProjectChange) -> Result<Changed, AppError>;
    /// The theme of the request's cookie `tidewatch_theme`.
    fn theme(&self) -> Theme;
    /// Sets the status code of the answer that is being rendered.
    fn set_status(&self, code: u16);
}

/// The port as it stands in Leptos' context.
pub type BackendHandle = Arc<dyn Backend>;

/// The backend of the request that is being answered.
///
/// # Errors
/// Nobody provided one: a fault in the server's wiring.
pub fn use_backend() -> Result<BackendHandle, AppError> {
    use_context::<BackendHandle>()
        .ok_or_else(|| AppError::Internal { request_id: "no backend in context".into() })
}
