//! The dashboard's port: what its pages ask, answered by the same commands and queries as the API.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::HeaderMap;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use serde_json::{Map, Value};
use sqlx::PgConnection;
use tidewatch_app::AppError;
use tidewatch_app::backend::{Backend, BackendHandle};
use tidewatch_app::model::{
    self, ApiKey, AuditPage, AuditQuery, AvailableMove, Changed, Channels, ConnectionPage, ConnectionQuery,
    CurrentUser, InputKind, Job, JobPage, JobQuery, MoveInput, MoveRequest, NewSettlement, Organization,
    Overview, ParseCursorError, People, ProjectChange, ProjectLink, SettlementDetail, SettlementPage,
    SettlementQuery, SettlementRow, Snapshot, Theme, Webhook, WebhookDeliveryDetail, WebhookDetail,
    WebhookQuery,
};
use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_events::id::{JobId, SettlementId, UserId, WebhookDeliveryId, WebhookId};
use tidewatch_events::position::PositionToken;
use tidewatch_events::{
    AggregateType, Channel, Envelope, Permission, ProjectId, Subject, Timestamp, visible,
};
use tidewatch_outbox::{PublishedLog, StreamHead, read_head};
use time::{Duration, OffsetDateTime, Time};
use tokio::sync::OnceCell;
use tower_sessions::Session;

use crate::access::Caller;
use crate::commands::{self, Origin};
use crate::db;
use crate::domain::settlement::{self as domain, MoveRule, Settlement};
use crate::error::Error;
use crate::http::api::settlements::{MAX_LIMIT, list_page, read_move};
use crate::http::preferences;
use crate::queries::{self, AUDIT_PAGE};
use crate::state::AppState;

/// Rows of a page of connections or jobs.
const PAGE: u32 = 100;
/// How long an open settlement may stand still before it needs a person.
const STUCK_AFTER: Duration = Duration::minutes(10);

/// The backend of one request.
#[derive(Clone)]
pub struct RequestBackend {
    state: AppState,
    session: Session,
    headers: HeaderMap,
    request_id: String,
    /// Which project it is about; empty: the one that the person joined first.
    project: String,
    /// Looked up once a request, however many parts of the page ask.
    caller: Arc<OnceCell<Caller>>,
}

impl RequestBackend {
    /// The backend of a request with this session, these headers and this id.
    #[must_use]
    pub fn new(state: AppState, session: Session, headers: HeaderMap, request_id: String) -> Self {
        Self { state, session, headers, request_id, project: String::new(), caller: Arc::default() }
    }

    async fn caller(&self) -> Result<&Caller, Error> {
        let project = Some(self.project.as_str()).filter(|slug| !slug.is_empty());
        self.caller.get_or_try_init(|| Caller::from_session(&self.session, &self.state, project)).await
    }

    fn origin(&self) -> Origin {
        Origin {
            request_id: self.request_id.clone(),
            correlation_id: Some(self.request_id.clone()),
            traceparent: None,
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
            permissions: caller.subject.permissions.clone(),
        })
    }

    async fn read_overview(&self) -> Result<Snapshot<Overview>, Error> {
        let caller = self.caller().await?;
        caller.require(&Permission::SETTLEMENTS_READ)?;
        let (subject, project) = (&caller.subject, caller.project());
        let now = OffsetDateTime::now_utc();
        let today = now.replace_time(Time::MIDNIGHT);
        let mut snapshot = db::begin_snapshot(&self.state.pool, caller.project()).await?;
        let counted: BTreeMap<String, i64> =
            db::overview::count_by_status(&mut snapshot, subject).await?.into_iter().collect();
        let count =
            |status: SettlementStatus| counted.get(status.as_str()).map_or(0, |count| count.unsigned_abs());
        let stuck_since = now - STUCK_AFTER;
        let attention = db::settlements::needing_attention(
            &mut snapshot,
            subject,
            stuck_since,
            u32::try_from(Overview::MAX_ATTENTION).unwrap_or(u32::MAX),
        )
        .await?;
        let most_ahead = u32::try_from(Overview::MAX_AHEAD).unwrap_or(u32::MAX);
        let ahead = db::settlements::ahead_of_log(&mut snapshot, subject, most_ahead).await?;
        let mut count_today = async |event_type: &str| {
            db::overview::count_events(&mut snapshot, subject, event_type, today).await.map(i64::unsigned_abs)
        };
        let created_today = count_today("settlement.created").await?;
        let settled_today = count_today("settlement.settled").await?;
        let failed_today = count_today("settlement.failed").await?;
        let volume = db::overview::volume_settled(&mut snapshot, subject, today).await?;
        let per_minute = read_minutes(&mut snapshot, subject, now).await?;
        let recent = self.read_recent(&mut snapshot, caller).await?;
        let outbox_lag_ms = db::overview::outbox_lag_ms(&mut snapshot).await?;
        let overview = Overview {
            by_status: SettlementStatus::ALL.map(|status| (status, count(status))).to_vec(),
            ahead,
            created_today,
            settled_today,
            failed_today,
            volume_today: volume
                .into_iter()
                .filter_map(|(currency, minor)| Some((currency.parse().ok()?, minor)))
                .collect(),
            needs_attention: attention.iter().map(row_of).collect(),
            per_minute,
            recent,
            outbox_lag_ms,
            connections: u64::try_from(self.state.hub.connection_count()).unwrap_or(u64::MAX),
        };
        finish(&mut snapshot, project, overview).await
    }

    /// The last events that the caller may see, newest first.
    async fn read_recent(
        &self,
        snapshot: &mut PgConnection,
        caller: &Caller,
    ) -> Result<Vec<Envelope>, Error> {
        let events = PublishedLog::newest(snapshot, caller.project(), Overview::MAX_RECENT * 5).await?;
        Ok(events
            .into_iter()
            .filter(|event| visible(&event.routing, &caller.subject))
            .take(Overview::MAX_RECENT)
            .map(|event| event.envelope)
            .collect())
    }

    async fn read_settlements(&self, query: SettlementQuery) -> Result<Snapshot<SettlementPage>, Error> {
        let caller = self.caller().await?;
        caller.require(&Permission::SETTLEMENTS_READ)?;
        let after = query
            .after
            .map(|text| text.parse().map_err(|error: ParseCursorError| Error::parameter("after", error)))
            .transpose()?;
        let limit = query.limit.clamp(1, u32::try_from(MAX_LIMIT).unwrap_or(u32::MAX));
        let mut snapshot = db::begin_snapshot(&self.state.pool, caller.project()).await?;
        let (rows, next) = list_page(&mut snapshot, caller, query.status, after, limit).await?;
        let page = SettlementPage { rows: rows.iter().map(row_of).collect(), next, previous: None };
        finish(&mut snapshot, caller.project(), page).await
    }

    async fn read_settlement(&self, id: SettlementId) -> Result<Snapshot<SettlementDetail>, Error> {
        let caller = self.caller().await?;
        caller.require(&Permission::SETTLEMENTS_READ)?;
        let project = caller.project();
        let mut snapshot = db::begin_snapshot(&self.state.pool, caller.project()).await?;
        let settlement = db::settlements::find(&mut snapshot, &caller.subject, id)
            .await?
            .ok_or_else(|| Error::NotFound(format!("settlement {id}")))?;
        let limit = u32::try_from(SettlementDetail::MAX_TIMELINE).unwrap_or(u32::MAX);
        let timeline = PublishedLog::of_aggregate(
            &mut snapshot,
            project,
            &AggregateType::SETTLEMENT,
            &id.to_string(),
            limit,
        )
        .await?
        .into_iter()
        .filter(|event| visible(&event.routing, &caller.subject))
        .map(|event| event.envelope)
        .collect();
        let may_act = caller.may(&Permission::SETTLEMENTS_ACT);
        let organization = match settlement.organization_id {
            Some(id) => db::organizations::find_name(&mut snapshot, project, id).await?,
            None => None,
        };
        let detail = SettlementDetail {
            settlement: row_of(&settlement),
            moves: settlement.allowed_moves().filter(|_| may_act).filter_map(button_of).collect(),
            timeline,
            tx_hash: settlement.tx_hash,
            error: settlement.error,
            gas_estimate: settlement.gas_estimate,
            gas_actual: settlement.gas_actual,
            hold_reason: settlement.hold_reason,
            organization,
            may_act,
        };
        finish(&mut snapshot, project, detail).await
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

    async fn create(&self, new: NewSettlement) -> Result<SettlementRow, Error> {
        let caller = self.caller().await?;
        let new = domain::NewSettlement {
            reference: new.reference,
            amount_minor: new.amount_minor,
            currency: new.currency,
            network: new.network,
            organization_id: None,
        };
        let (settlement, _) = commands::create_settlement(&self.state, caller, new, self.origin()).await?;
        Ok(row_of(&settlement))
    }

    async fn make_move(&self, id: SettlementId, request: MoveRequest) -> Result<SettlementRow, Error> {
        let caller = self.caller().await?;
        let (step, expected_version) = read_move(body_of(request))?;
        let (settlement, _) =
            commands::move_settlement(&self.state, caller, id, step, expected_version, self.origin()).await?;
        Ok(row_of(&settlement))
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

    async fn overview(&self) -> Result<Snapshot<Overview>, AppError> {
        self.read_overview().await.map_err(|error| self.app_error(error))
    }

    async fn list_settlements(&self, query: SettlementQuery) -> Result<Snapshot<SettlementPage>, AppError> {
        self.read_settlements(query).await.map_err(|error| self.app_error(error))
    }

    async fn get_settlement(&self, id: SettlementId) -> Result<Snapshot<SettlementDetail>, AppError> {
        self.read_settlement(id).await.map_err(|error| self.app_error(error))
    }

    async fn create_settlement(&self, new: NewSettlement) -> Result<SettlementRow, AppError> {
        self.create(new).await.map_err(|error| self.app_error(error))
    }

    async fn move_settlement(
        &self,
        id: SettlementId,
        request: MoveRequest,
    ) -> Result<SettlementRow, AppError> {
        self.make_move(id, request).await.map_err(|error| self.app_error(error))
    }

    async fn people(&self) -> Result<People, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        queries::people(&self.state, caller).await.map_err(|error| self.app_error(error))
    }

    async fn organizations(&self) -> Result<Vec<Organization>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        queries::organizations(&self.state, caller).await.map_err(|error| self.app_error(error))
    }

    async fn api_keys(&self) -> Result<Vec<ApiKey>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        queries::api_keys(&self.state, caller).await.map_err(|error| self.app_error(error))
    }

    async fn sessions(&self) -> Result<Vec<model::Session>, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        queries::sessions(&self.state, caller).await.map_err(|error| self.app_error(error))
    }

    async fn audit(&self, query: AuditQuery) -> Result<AuditPage, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let page = queries::audit(&self.state, caller, &query, AUDIT_PAGE).await;
        page.map_err(|error| self.app_error(error))
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

    async fn change_project(&self, change: ProjectChange) -> Result<Changed, AppError> {
        let caller = self.caller().await.map_err(|error| self.app_error(error))?;
        let changed = commands::change_project(&self.state, caller, change, &self.origin()).await;
        changed.map_err(|error| self.app_error(error))
    }

    fn theme(&self) -> Theme {
        preferences::theme(&self.headers)
    }

    fn set_status(&self, code: u16) {
        if let (Some(options), Ok(status)) =
            (use_context::<ResponseOptions>(), http::StatusCode::from_u16(code))
        {
            options.set_status(status);
        }
    }
}

/// Reads the stream's position in the same snapshot as the data, and puts both together.
async fn finish<T>(snapshot: &mut PgConnection, project: ProjectId, data: T) -> Result<Snapshot<T>, Error> {
    let head = read_head(snapshot, project).await?;
    Ok(Snapshot {
        data,
        position: head.last,
        resume_token: token_of(head),
        as_of: OffsetDateTime::now_utc().into(),
    })
}

fn token_of(head: StreamHead) -> String {
    PositionToken { epoch: head.epoch, position: head.last }.to_string()
}

/// Every minute of the last hour, those without an event too.
async fn read_minutes(
    snapshot: &mut PgConnection,
    subject: &Subject,
    now: OffsetDateTime,
) -> Result<Vec<(Timestamp, u32)>, Error> {
    let minutes = i32::try_from(Overview::MINUTES).unwrap_or(60);
    let this_minute = now.replace_time(Time::from_hms(now.hour(), now.minute(), 0).unwrap_or(Time::MIDNIGHT));
    let first = this_minute - Duration::MINUTE * (minutes - 1);
    let counted: BTreeMap<i64, i64> = db::overview::ended_per_minute(snapshot, subject, first)
        .await?
        .into_iter()
        .map(|(minute, count)| (minute.unix_timestamp(), count))
        .collect();
    Ok((0..minutes)
        .map(|index| {
            let minute = first + Duration::MINUTE * index;
            let count = counted.get(&minute.unix_timestamp()).copied().unwrap_or(0);
            (Timestamp::from(minute), u32::try_from(count).unwrap_or(u32::MAX))
        })
        .collect())
}

/// A settlement as a list shows it.
#[must_use]
pub fn row_of(settlement: &Settlement) -> SettlementRow {
    SettlementRow {
        id: settlement.id,
        reference: settlement.reference.clone(),
        amount_minor: settlement.amount_minor,
        currency: settlement.currency,
        network: settlement.network.clone(),
        status: settlement.status,
        confirmations: settlement.confirmations,
        required: settlement.required,
        version: settlement.version,
        created_at: settlement.created_at,
        updated_at: settlement.updated_at,
    }
}

/// The button of a move; `None` for those that are the network's business.
fn button_of(rule: &MoveRule) -> Option<AvailableMove> {
    Some(AvailableMove {
        name: rule.name.to_owned(),
        label: rule.label?.to_owned(),
        inputs: rule
            .inputs
            .iter()
            .map(|input| MoveInput {
                name: input.name.to_owned(),
                label: input.label.to_owned(),
                kind: if input.number { InputKind::Number } else { InputKind::Text },
                required: input.required,
            })
            .collect(),
        destructive: rule.destructive,
    })
}

/// A form's fields as the body that the API takes: numbers where the move asks for numbers.
fn body_of(request: MoveRequest) -> Map<String, Value> {
    let inputs =
        domain::RULES.iter().find(|rule| rule.name == request.r#move).map_or(&[][..], |rule| rule.inputs);
    let mut body = Map::new();
    for (name, text) in request.fields {
        let number = inputs.iter().any(|input| input.name == name && input.number);
        let value = text.parse::<i64>().ok().filter(|_| number).map_or(Value::String(text), Value::from);
        body.insert(name, value);
    }
    body.insert("move".into(), request.r#move.into());
    body.insert("expectedVersion".into(), request.expected_version.into());
    body
}
