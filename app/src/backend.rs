//! The port: what the UI asks of the server.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::prelude::use_context;
use tidewatch_events::id::{
    JobId, NotificationId, NotificationRuleId, SavedViewId, WebhookDeliveryId, WebhookId,
};
use tidewatch_events::{Channel, Envelope, EventId};
use tidewatch_modules::{Record, RecordQuery};

use crate::error::AppError;
use crate::model::{
    ApiKeyPage, ApiKeyQuery, AuditPage, AuditQuery, BulkImpact, BulkStarted, Changed, Channels,
    ConnectionPage, ConnectionQuery, CurrentUser, DeliveryProof, Density, EventPage, EventQuery, FormAnswer,
    Inbox, InboxQuery, Job, JobPage, JobQuery, MoveRequest, Notification, NotificationCount,
    NotificationProof, NotificationRule, NotificationSettings, NotificationSettingsPage, NotificationStep,
    Organization, Overview, People, PeopleQuery, ProjectChange, RecordCharts, RecordDetail, RecordPage,
    ServerCheck, Session, Snapshot, SystemStatus, Theme, TimeRange, Webhook, WebhookDeliveryDetail,
    WebhookDetail, WebhookQuery, WitnessPage,
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
    /// What the first page shows, its charts over `range`.
    async fn overview(&self, range: TimeRange) -> Result<Snapshot<Overview>, AppError>;
    /// A page of a module's records.
    async fn list_records(&self, module: &str, query: RecordQuery) -> Result<Snapshot<RecordPage>, AppError>;
    /// What a module's charts show; [`AppError::NotFound`] where it asks for none.
    async fn record_charts(&self, module: &str) -> Result<Snapshot<RecordCharts>, AppError>;
    /// One record with its history.
    async fn get_record(&self, module: &str, id: &str) -> Result<Snapshot<RecordDetail>, AppError>;
    /// Makes a record of what was entered.
    async fn create_record(&self, module: &str, new: BTreeMap<String, String>) -> Result<Record, AppError>;
    /// Makes a move; [`AppError::Conflict`] when the record is no longer at the expected version.
    async fn move_record(&self, module: &str, id: &str, request: MoveRequest) -> Result<Record, AppError>;
    /// Makes one move for many records, by an automation.
    async fn move_records(
        &self,
        module: &str,
        many: Many,
        step: &str,
        fields: BTreeMap<String, String>,
    ) -> Result<BulkStarted, AppError>;
    /// For how many of these records the move could be made now.
    async fn count_moves(&self, module: &str, many: Many, step: &str) -> Result<BulkImpact, AppError>;
    /// Writes something about a record.
    async fn comment_on_record(&self, module: &str, id: &str, text: &str) -> Result<(), AppError>;
    /// Events that a query asks for, newest first.
    async fn search_events(&self, query: EventQuery) -> Result<Snapshot<EventPage>, AppError>;
    /// One event.
    async fn event(&self, id: EventId) -> Result<Envelope, AppError>;
    /// To whom an event was given; nothing while it is not published.
    async fn event_deliveries(&self, id: EventId) -> Result<Snapshot<Option<DeliveryProof>>, AppError>;
    /// To whom the latest events of a record were given, newest first.
    async fn record_deliveries(&self, module: &str, id: &str) -> Result<Vec<DeliveryProof>, AppError>;
    /// What rules made of an event, and what became of that.
    async fn event_notifications(&self, id: EventId) -> Result<Vec<NotificationProof>, AppError>;
    /// What rules made of the events of a record, newest first.
    async fn record_notifications(&self, module: &str, id: &str) -> Result<Vec<NotificationProof>, AppError>;
    /// A page of the notifications of the person who asks. To ask for it is to have them delivered.
    async fn inbox(&self, query: InboxQuery) -> Result<Snapshot<Inbox>, AppError>;
    /// What their badge says.
    async fn notification_count(&self) -> Result<Snapshot<NotificationCount>, AppError>;
    /// One of their notifications.
    async fn notification(&self, id: NotificationId) -> Result<Snapshot<Notification>, AppError>;
    /// Does something with notifications of theirs: all or none.
    async fn move_notifications(
        &self,
        ids: Vec<NotificationId>,
        step: NotificationStep,
    ) -> Result<NotificationCount, AppError>;
    /// All of theirs that were sent up to this one count as read.
    async fn read_notifications(&self, up_to: NotificationId) -> Result<NotificationCount, AppError>;
    /// What they want of notifications.
    async fn notification_settings(&self) -> Result<Snapshot<NotificationSettingsPage>, AppError>;
    /// Says anew what they want.
    async fn save_notification_settings(&self, settings: NotificationSettings) -> Result<(), AppError>;
    /// The rules that turn events into notifications, by name.
    async fn notification_rules(&self) -> Result<Snapshot<Vec<NotificationRule>>, AppError>;
    /// One of them.
    async fn notification_rule(&self, id: NotificationRuleId)
    -> Result<Snapshot<NotificationRule>, AppError>;
    /// The last checks of a server, newest first.
    async fn server_checks(&self, id: &str) -> Result<Snapshot<Vec<ServerCheck>>, AppError>;
    /// Who is in the project, and as what.
    async fn people(&self, query: PeopleQuery) -> Result<Snapshot<People>, AppError>;
    /// The project's organizations.
    async fn organizations(&self) -> Result<Snapshot<Vec<Organization>>, AppError>;
    /// The project's API keys.
    async fn api_keys(&self, query: ApiKeyQuery) -> Result<Snapshot<ApiKeyPage>, AppError>;
    /// The logins of the person who asks.
    async fn sessions(&self) -> Result<Snapshot<Vec<Session>>, AppError>;
    /// A page of the audit log.
    async fn audit(&self, query: AuditQuery) -> Result<Snapshot<AuditPage>, AppError>;
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
    /// What the witness found.
    async fn witness(&self) -> Result<Snapshot<WitnessPage>, AppError>;
    /// How Tidewatch itself does.
    async fn system(&self) -> Result<Snapshot<SystemStatus>, AppError>;
    /// Changes something in the project.
    async fn change_project(&self, change: ProjectChange) -> Result<Changed, AppError>;
    /// Saves what a page shows under a name, for the person who asks.
    async fn save_view(&self, path: String, query: String, name: &str) -> Result<(), AppError>;
    /// Forgets one of those.
    async fn forget_view(&self, id: SavedViewId) -> Result<(), AppError>;
    /// The theme of the request's cookie `tidewatch_theme`.
    fn theme(&self) -> Theme;
    /// How close rows stand, by the request's cookie `tidewatch_density`.
    fn density(&self) -> Density;
    /// What came of the form that led to the page that is being rendered.
    fn form_answer(&self) -> Option<FormAnswer>;
    /// Sets the status code of the answer that is being rendered.
    fn set_status(&self, code: u16);
}

/// Which records a move for many is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Many {
    /// Those with these ids.
    Ids(Vec<String>),
    /// All that this list shows.
    Query(RecordQuery),
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
