//! The dashboard's port: what its pages ask, answered by the same commands and queries as the API.

mod events;
mod notifications;
mod records;

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use tidewatch_app::AppError;
use tidewatch_app::backend::{Backend, BackendHandle, Many};
use tidewatch_app::model::{
    self, ApiKeyPage, ApiKeyQuery, AuditPage, AuditQuery, BulkImpact, BulkStarted, Changed, Channels,
    ConnectionPage, ConnectionQuery, CurrentUser, DeliveryProof, Density, EventPage, EventQuery, FormAnswer,
    Inbox, InboxQuery, Job, JobPage, JobQuery, ModuleLink, MoveRequest, Notification, NotificationCount,
    NotificationProof, NotificationRule, NotificationSettings, NotificationSettingsPage, NotificationStep,
    Organization, Overview, People, PeopleQuery, ProjectChange, ProjectLink, RecordCharts, RecordDetail,
    RecordPage, ServerCheck, Snapshot, SystemStatus, Theme, TimeRange, Webhook, WebhookDeliveryDetail,
    WebhookDetail, WebhookQuery, WitnessPage,
};
use tidewatch_events::id::{
    JobId, NotificationId, NotificationRuleId, SavedViewId, UserId, WebhookDeliveryId, WebhookId,
};
use tidewatch_events::trace::TraceContext;
use tidewatch_events::{Channel, Envelope, EventId, Permission, ProjectId};
use tidewatch_modules::{Record, RecordQuery};
use tidewatch_outbox::read_head;
use tokio::sync::OnceCell;
use tower_sessions::Session;

use crate::access::Caller;
use crate::commands::{self, Origin};
use crate::db;
use crate::error::Error;
use crate::http::preferences;
use crate::http::request_log::Who;
use crate::queries::{self, AUDIT_PAGE, finish, token_of};
use crate::state::AppState;

/// Rows of a page of connections, jobs, people or keys.
const PAGE: u32 = 100;
/// Checks of a server that its page shows.
const CHECKS: u32 = 60;

/// The backend of one request.
#[derive(Clone)]
pub struct RequestBackend {
    state: AppState,
    session: Session,
    headers: HeaderMap,
    request_id: String,
    /// Where in its trace it is.
    trace: Option<TraceContext>,
    /// Told who asks.
    who: Who,
    /// Which project it is about; empty: the one that the person joined first.
    project: String,
    /// Looked up once a request, however many parts of the page ask.
    caller: Arc<OnceCell<Caller>>,
    /// What came of the form that led here.
    answer: Option<FormAnswer>,
}

impl RequestBackend {
    /// The backend of a request with this session, these headers and this id.
    #[must_use]
    pub fn new(state: AppState, session: Session, headers: HeaderMap, request_id: String) -> Self {
        let (project, caller) = (String::new(), Arc::default());
        let (trace, who) = (None, Who::default());
        Self { state, session, headers, request_id, trace, who, project, caller, answer: None }
    }

    /// The same at this place of a trace, where `who` is told who asks.
    #[must_use]
    pub fn traced(self, trace: Option<TraceContext>, who: Who) -> Self {
        Self { trace, who, ..self }
    }

    /// The same for a page that shows what came of a form.
    #[must_use]
    pub fn showing(self, answer: Option<FormAnswer>) -> Self {
        Self { answer, ..self }
    }

    async fn caller(&self) -> Result<&Caller, Error> {
        let project = Some(self.project.as_str()).filter(|slug| !slug.is_empty());
        let caller =
            self.caller.get_or_try_init(|| Caller::from_session(&self.session, &self.state, project));
        caller.await.inspect(|caller| self.who.is(&caller.actor))
    }

    fn origin(&self) -> Origin {
        Origin {
            request_id: self.request_id.clone(),
            correlation_id: Some(self.request_id.clone()),
            traceparent: self.trace.map(|trace| trace.to_string()),
        }
    }

    fn app_error(&self, error: Error) -> AppError {
        error.into_app_error(&self.request_id)
    }

    async fn read_current_user(&self) -> Result<CurrentUser, Error> {
        let caller = self.caller().await?;
        let member = caller.member.clone().ok_or(Error::Unauthenticated("a key is nobody"))?;
        let user = UserId::from_uuid(member.user_id);
        let projects = db::projects::of_user(&mut *self.state.access.acquire().await?, user).await?;
        let mut snapshot = db::begin_snapshot(&self.state.pool, caller.project()).await?;
        let head = read_head(&mut snapshot, caller.project()).await?;
        let views = db::saved_views::list(&mut snapshot, caller.project(), user).await?;
        Ok(CurrentUser {
            id: user,
            email: member.email,
            name: member.name,
            project_id: ProjectId::from_uuid(member.project_id),
            project_slug: member.project_slug,
            project_name: member.project_name,
            projects: projects
                .into_iter()
                .map(|project| ProjectLink { slug: project.slug, name: project.name })
                .collect(),
            roles: member.roles,
            staff: caller.is_staff(),
            position: head.last,
            resume_token: token_of(head),
            modules: self
                .state
                .modules
                .descriptions()
                .filter(|module| caller.may(&module.read))
                .map(|module| ModuleLink {
                    name: module.name.to_string(),
                    title: module.title.to_string(),
                    icon: module.icon.to_string(),
                })
                .collect(),
            views: views
                .into_iter()
                .map(|view| model::SavedView {
                    id: SavedViewId::from_uuid(view.id),
                    path: view.path,
                    query: view.query,
                    name: view.name,
                })
                .collect(),
            permissions: caller.subject.permissions.clone(),
        })
    }

    /// What no event tells of, with a position from which the page can hear of its reader's rights.
    async fn stamped<T>(
        &self,
        caller: &Caller,
        read: impl Future<Output = Result<T, Error>>,
    ) -> Result<Snapshot<T>, Error> {
        let data = read.await?;
        let mut snapshot = db::begin_snapshot(&self.state.pool, caller.project()).await?;
        finish(&mut snapshot, caller.project(), data).await
    }
}

#[async_trait::async_trait]
impl Backend for RequestBackend {
    fn in_project(&self, slug: &str) -> BackendHandle {
        let mut same_request = self.clone();
        if self.project != slug {
            slug.clone_into(&mut same_request.project);
            same_request.caller = Arc::default();
        }
        Arc::new(same_request)
    }

    async fn current_user(&self) -> Result<CurrentUser, AppError> {
        self.read_current_user().await.map_err(|error| self.app_error(error))
    }

    async fn overview(&self, range: TimeRange) -> Result<Snapshot<Overview>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::overview(&self.state, caller, range).await;
        read.map(Arc::unwrap_or_clone).map_err(|error| self.app_error(error))
    }

    async fn list_records(&self, module: &str, query: RecordQuery) -> Result<Snapshot<RecordPage>, AppError> {
        self.read_records(module, query).await.map_err(|error| self.app_error(error))
    }

    async fn record_charts(&self, module: &str) -> Result<Snapshot<RecordCharts>, AppError> {
        self.read_record_charts(module).await.map_err(|error| self.app_error(error))
    }

    async fn get_record(&self, module: &str, id: &str) -> Result<Snapshot<RecordDetail>, AppError> {
        self.read_record(module, id).await.map_err(|error| self.app_error(error))
    }

    async fn create_record(&self, module: &str, new: BTreeMap<String, String>) -> Result<Record, AppError> {
        self.make_record(module, new).await.map_err(|error| self.app_error(error))
    }

    async fn move_record(&self, module: &str, id: &str, request: MoveRequest) -> Result<Record, AppError> {
        self.make_move(module, id, request).await.map_err(|error| self.app_error(error))
    }

    async fn move_records(
        &self,
        module: &str,
        many: Many,
        step: &str,
        fields: BTreeMap<String, String>,
    ) -> Result<BulkStarted, AppError> {
        self.make_moves(module, many, step, fields).await.map_err(|error| self.app_error(error))
    }

    async fn count_moves(&self, module: &str, many: Many, step: &str) -> Result<BulkImpact, AppError> {
        self.count_of_moves(module, many, step).await.map_err(|error| self.app_error(error))
    }

    async fn comment_on_record(&self, module: &str, id: &str, text: &str) -> Result<(), AppError> {
        self.write_comment(module, id, text).await.map_err(|error| self.app_error(error))
    }

    async fn search_events(&self, query: EventQuery) -> Result<Snapshot<EventPage>, AppError> {
        self.read_events(&query).await.map_err(|error| self.app_error(error))
    }

    async fn event(&self, id: EventId) -> Result<Envelope, AppError> {
        self.read_event(id).await.map_err(|error| self.app_error(error))
    }

    async fn event_deliveries(&self, id: EventId) -> Result<Snapshot<Option<DeliveryProof>>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = async { Ok(queries::deliveries(&self.state, caller, &[id]).await?.pop()) };
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn record_deliveries(&self, module: &str, id: &str) -> Result<Vec<DeliveryProof>, AppError> {
        self.read_record_deliveries(module, id).await.map_err(|error| self.app_error(error))
    }

    async fn event_notifications(&self, id: EventId) -> Result<Vec<NotificationProof>, AppError> {
        self.read_event_notifications(id).await.map_err(|error| self.app_error(error))
    }

    async fn record_notifications(&self, module: &str, id: &str) -> Result<Vec<NotificationProof>, AppError> {
        self.read_record_notifications(module, id).await.map_err(|error| self.app_error(error))
    }

    async fn inbox(&self, query: InboxQuery) -> Result<Snapshot<Inbox>, AppError> {
        self.read_inbox(&query).await.map_err(|error| self.app_error(error))
    }

    async fn notification_count(&self) -> Result<Snapshot<NotificationCount>, AppError> {
        self.read_notification_count().await.map_err(|error| self.app_error(error))
    }

    async fn notification(&self, id: NotificationId) -> Result<Snapshot<Notification>, AppError> {
        self.read_notification(id).await.map_err(|error| self.app_error(error))
    }

    async fn move_notifications(
        &self,
        ids: Vec<NotificationId>,
        step: NotificationStep,
    ) -> Result<NotificationCount, AppError> {
        self.step_notifications(&ids, step).await.map_err(|error| self.app_error(error))
    }

    async fn read_notifications(&self, up_to: NotificationId) -> Result<NotificationCount, AppError> {
        self.read_up_to(up_to).await.map_err(|error| self.app_error(error))
    }

    async fn notification_settings(&self) -> Result<Snapshot<NotificationSettingsPage>, AppError> {
        self.read_notification_settings().await.map_err(|error| self.app_error(error))
    }

    async fn save_notification_settings(&self, settings: NotificationSettings) -> Result<(), AppError> {
        self.write_notification_settings(&settings).await.map_err(|error| self.app_error(error))
    }

    async fn notification_rules(&self) -> Result<Snapshot<Vec<NotificationRule>>, AppError> {
        self.read_notification_rules().await.map_err(|error| self.app_error(error))
    }

    async fn notification_rule(
        &self,
        id: NotificationRuleId,
    ) -> Result<Snapshot<NotificationRule>, AppError> {
        self.read_notification_rule(id).await.map_err(|error| self.app_error(error))
    }

    async fn server_checks(&self, id: &str) -> Result<Snapshot<Vec<ServerCheck>>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::server_checks(&self.state, caller, id, CHECKS);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn people(&self, query: PeopleQuery) -> Result<Snapshot<People>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::people(&self.state, caller, &query, PAGE);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn organizations(&self) -> Result<Snapshot<Vec<Organization>>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::organizations(&self.state, caller);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn api_keys(&self, query: ApiKeyQuery) -> Result<Snapshot<ApiKeyPage>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::api_keys(&self.state, caller, &query, PAGE);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn sessions(&self) -> Result<Snapshot<Vec<model::Session>>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::sessions(&self.state, caller);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn audit(&self, query: AuditQuery) -> Result<Snapshot<AuditPage>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::audit(&self.state, caller, &query, AUDIT_PAGE);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn connections(&self, query: ConnectionQuery) -> Result<Snapshot<ConnectionPage>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::connections(&self.state, caller, &query, PAGE);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn channels(&self, selected: Option<Channel>) -> Result<Snapshot<Channels>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = async {
            let (channels, selected) = queries::channels(&self.state, caller, selected).await?;
            Ok(Channels {
                channels,
                selected,
                may_publish: caller.may(&Permission::EVENTS_PUBLISH),
                may_sign: caller.may(&Permission::TOKENS_SIGN),
            })
        };
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn jobs(&self, query: JobQuery) -> Result<Snapshot<JobPage>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::jobs(&self.state, caller, &query, PAGE);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn job(&self, id: JobId) -> Result<Snapshot<Job>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::job(&self.state, caller, id);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn webhooks(&self) -> Result<Snapshot<Vec<Webhook>>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::webhooks::webhooks(&self.state, caller);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn webhook(&self, id: WebhookId, query: WebhookQuery) -> Result<Snapshot<WebhookDetail>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = async {
            let (state, WebhookQuery { state: only, after }) = (&self.state, query);
            Ok(WebhookDetail {
                webhook: queries::webhooks::webhook(state, caller, id).await?,
                deliveries: queries::webhooks::deliveries(state, caller, id, only, after, PAGE).await?,
            })
        };
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn webhook_delivery(
        &self,
        webhook: WebhookId,
        id: WebhookDeliveryId,
    ) -> Result<WebhookDeliveryDetail, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let delivery = queries::webhooks::delivery(&self.state, caller, webhook, id).await;
        delivery.map_err(|error| self.app_error(error))
    }

    async fn witness(&self) -> Result<Snapshot<WitnessPage>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::witness(&self.state, caller);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn system(&self) -> Result<Snapshot<SystemStatus>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let read = queries::system(&self.state, caller);
        self.stamped(caller, read).await.map_err(|error| self.app_error(error))
    }

    async fn change_project(&self, change: ProjectChange) -> Result<Changed, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let changed = commands::change_project(&self.state, caller, change, &self.origin()).await;
        changed.map_err(|error| self.app_error(error))
    }

    async fn save_view(&self, path: String, query: String, name: &str) -> Result<(), AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let saved = commands::save_view(&self.state, caller, path, query, name).await;
        saved.map_err(|error| self.app_error(error))
    }

    async fn forget_view(&self, id: SavedViewId) -> Result<(), AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let forgotten = commands::forget_view(&self.state, caller, id).await;
        forgotten.map_err(|error| self.app_error(error))
    }

    fn theme(&self) -> Theme {
        preferences::theme(&self.headers)
    }

    fn density(&self) -> Density {
        preferences::density(&self.headers)
    }

    fn form_answer(&self) -> Option<FormAnswer> {
        self.answer.clone()
    }

    fn set_status(&self, code: u16) {
        if let (Some(options), Ok(status)) =
            (use_context::<ResponseOptions>(), http::StatusCode::from_u16(code))
        {
            options.set_status(status);
        }
    }
}
