//! Events that services publish: through the outbox, as durable as any other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};
use sqlx::PgConnection;
use tidewatch_events::catalog;
use tidewatch_events::id::{MessageId, NotificationId, RecordId};
use tidewatch_events::{
    AggregateType, Channel, EventId, EventType, Metadata, NewEvent, Permission, Priority, ProjectId, Routing,
    SubjectRef, Timestamp,
};
use uuid::Uuid;

use super::Origin;
use crate::access::Caller;
use crate::db;
use crate::db::publishing::AggregateName;
use crate::domain::Modules;
use crate::error::Error;
use crate::http::problem::FieldProblem;
use crate::state::AppState;

/// Most events of one request.
pub const MAX_BATCH: usize = 1_000;
/// The type of an event that says none.
pub const DEFAULT_TYPE: EventType = EventType::from_static("message.published");
/// The aggregates whose state Tidewatch itself keeps: their events come with a change of that state, in
/// one transaction, and from nowhere else.
const KEPT_HERE: [AggregateType; 2] = [AggregateType::SETTLEMENT, AggregateType::NOTIFICATION];
/// What the types of events of notifications begin with, also of those that the catalog does not know yet.
const OF_NOTIFICATIONS: &str = "notification.";

/// One event as a publisher sends it.
#[derive(Debug, Clone, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PublishRequest {
    /// Where it goes out. A name that begins with `private` is for holders of a token alone.
    pub channel_name: Channel,
    /// Any JSON, 256 KiB at most.
    pub payload: Value,
    /// What happened; `message.published` where nothing is said.
    #[serde(default)]
    pub event_type: Option<EventType>,
    /// The kind of thing that it happened to; together with `aggregate_id`.
    #[serde(default)]
    pub aggregate_type: Option<AggregateType>,
    /// Which one. Without it the event is a message of its own, about nothing else.
    #[serde(default)]
    pub aggregate_id: Option<String>,
    /// The aggregate's version; counted here where nothing is said.
    #[serde(default)]
    pub aggregate_version: Option<i64>,
    /// Whom it is for; nobody in particular where nothing is said.
    #[serde(default)]
    pub audience: BTreeSet<SubjectRef>,
    /// What a reader needs; where nothing is said, what the catalog says of the type.
    #[serde(default)]
    pub permissions: Option<BTreeSet<Permission>>,
    /// How urgent it is.
    #[serde(default)]
    pub priority: Priority,
    /// When it happened; now where nothing is said.
    #[serde(default)]
    pub occurred_at: Option<Timestamp>,
    /// The business process that it belongs to.
    #[serde(default)]
    pub correlation_id: Option<String>,
    /// The event that led to it.
    #[serde(default)]
    pub causation_id: Option<EventId>,
}

impl PublishRequest {
    /// A message of its own, about nothing else, for whoever may read such ones.
    #[must_use]
    pub const fn new(channel_name: Channel, event_type: Option<EventType>, payload: Value) -> Self {
        Self {
            channel_name,
            payload,
            event_type,
            aggregate_type: None,
            aggregate_id: None,
            aggregate_version: None,
            audience: BTreeSet::new(),
            permissions: None,
            priority: Priority::Normal,
            occurred_at: None,
            correlation_id: None,
            causation_id: None,
        }
    }

    fn event_type(&self) -> EventType {
        self.event_type.clone().unwrap_or(DEFAULT_TYPE)
    }

    /// What is wrong with it, by field.
    fn problems(&self, modules: &Modules) -> Vec<(&'static str, String)> {
        let mut problems = Vec::new();
        let mut wrong = |field, message: &str| problems.push((field, message.to_owned()));
        if self.aggregate_type.is_some() && self.aggregate_id.is_none() {
            wrong("aggregateId", "is missing: `aggregateType` says of what kind, and not which one");
        }
        if self.aggregate_id.is_some() && self.aggregate_type.is_none() {
            wrong("aggregateType", "is missing: `aggregateId` says which one, and not of what kind");
        }
        if self.aggregate_id.as_ref().is_some_and(|id| !is_line(id)) {
            wrong("aggregateId", "must have 1 to 200 characters, none of them a control character");
        }
        if self.aggregate_version.is_some_and(|version| version < 1) {
            wrong("aggregateVersion", "must be a whole number of 1 or more");
        }
        if self.aggregate_version.is_some() && self.aggregate_id.is_none() {
            wrong("aggregateVersion", "needs `aggregateType` and `aggregateId`");
        }
        if self.correlation_id.as_ref().is_some_and(|id| !is_line(id)) {
            wrong("correlationId", "must have 1 to 200 characters, none of them a control character");
        }
        let is_kept = |kind: &AggregateType| {
            KEPT_HERE.contains(kind) || modules.own().any(|module| module.aggregate_type == *kind)
        };
        if self.aggregate_type.as_ref().is_some_and(is_kept) {
            wrong("aggregateType", "is kept by Tidewatch itself: change it by its own API");
        } else if self.aggregate_id.as_deref().is_some_and(|id| is_kept_here(id, modules)) {
            wrong(
                "aggregateId",
                "is the id of a record that Tidewatch itself keeps: change it by its own API",
            );
        }
        if is_told_here(&self.event_type(), modules) {
            wrong("eventType", "tells of something that Tidewatch itself keeps: change that by its own API");
        }
        if self.channel_name.is_private() && !self.audience.is_empty() {
            wrong("audience", "is not for a private channel: its audience are those who hold a token for it");
        }
        if self.audience.iter().any(|name| matches!(name, SubjectRef::Channel(_))) {
            wrong("audience", "names a channel: publish on that channel instead");
        }
        problems
    }

    /// The event, at this version of its aggregate.
    fn into_event(self, project: ProjectId, version: i64, origin: Metadata) -> NewEvent {
        let event_type = self.event_type();
        let of_catalog = || catalog::find(&event_type).map(|entry| entry.permission.clone());
        let mut routing = Routing::in_project(project).on_channel(self.channel_name);
        routing.permissions = self.permissions.unwrap_or_else(|| of_catalog().into_iter().collect());
        routing.audience.extend(self.audience);
        routing.priority = self.priority;
        NewEvent {
            event_type,
            aggregate_type: self.aggregate_type.unwrap_or(AggregateType::MESSAGE),
            aggregate_id: self
                .aggregate_id
                .unwrap_or_else(|| MessageId::from_uuid(Uuid::now_v7()).to_string()),
            aggregate_version: version,
            occurred_at: self.occurred_at,
            payload: self.payload,
            metadata: Metadata {
                correlation_id: self.correlation_id.or(origin.correlation_id),
                causation_id: self.causation_id,
                ..origin
            },
            routing,
        }
    }
}

/// Whether an aggregate's id is of the form that records of a module or notifications have: whoever could publish under
/// one could tell of changes that never were, or take the version that the next change needs.
fn is_kept_here(id: &str, modules: &Modules) -> bool {
    id.parse::<NotificationId>().is_ok()
        || id.parse::<RecordId>().is_ok_and(|id| modules.of_prefix(id.prefix()).is_some())
}

/// Whether Tidewatch itself tells of what this type of event says.
fn is_told_here(event_type: &EventType, modules: &Modules) -> bool {
    let of = event_type.as_str().split('.').next().unwrap_or_default();
    event_type.as_str().starts_with(OF_NOTIFICATIONS)
        || catalog::find(event_type).is_some_and(|entry| KEPT_HERE.contains(entry.aggregate_type))
        || modules.own().any(|module| module.one == of)
}

fn is_line(text: &str) -> bool {
    (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control)
}

/// By what a request is known again.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The key that the caller drew for it.
    pub key: String,
    /// SHA-256 of what it asks.
    pub fingerprint: [u8; 32],
}

/// What was published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The events, in the order in which they came.
    pub events: Vec<EventId>,
    /// Whether that was done by an earlier request under the same key.
    pub replayed: bool,
}

/// Publishes all of these events, or none. Under an idempotency key the same request is carried out
/// once, however often it comes.
///
/// # Errors
/// 403 without `events.publish`; 409 while a request under the same key is being carried out, or for a
/// version that is recorded already; 413 for too large a payload; 422 for fields that will not do, or
/// for another request under the same key; 429; 503.
pub async fn publish(
    state: &AppState,
    caller: &Caller,
    requests: Vec<PublishRequest>,
    idempotency: Option<Idempotency>,
    origin: Origin,
) -> Result<Published, Error> {
    caller.require(&Permission::EVENTS_PUBLISH)?;
    check(&requests, &state.modules)?;
    state.publish_limit.take(&caller.actor, requests.len())?;
    let project = caller.project();
    let actor = caller.actor.to_string();
    let mut transaction = state.outbox.begin(project).await?;
    if let Some(idempotency) = &idempotency
        && let Some(done) = find_done(&mut transaction, project, &actor, idempotency).await?
    {
        return Ok(done);
    }
    let versions = count_versions(&mut transaction, project, &requests).await?;
    let metadata = origin.metadata(caller);
    let events: Vec<NewEvent> = requests
        .into_iter()
        .zip(versions)
        .map(|(request, version)| request.into_event(project, version, metadata.clone()))
        .collect();
    let events = transaction.record_all(&events).await?;
    if let Some(Idempotency { key, fingerprint }) = &idempotency {
        db::publishing::keep_answer(&mut transaction, project, (&actor, key), fingerprint, &json!(events))
            .await?;
    }
    transaction.commit().await?;
    Ok(Published { events, replayed: false })
}

fn check(requests: &[PublishRequest], modules: &Modules) -> Result<(), Error> {
    if !(1..=MAX_BATCH).contains(&requests.len()) {
        return Err(Error::field("", format!("must hold 1 to {MAX_BATCH} events")));
    }
    let place = |index: usize, field: &str| match requests.len() {
        1 => field.to_owned(),
        _ => format!("{index}/{field}"),
    };
    let problems: Vec<FieldProblem> = requests
        .iter()
        .enumerate()
        .flat_map(|(index, request)| {
            request.problems(modules).into_iter().map(move |(field, message)| (index, field, message))
        })
        .map(|(index, field, message)| FieldProblem::new(&place(index, field), message))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(Error::Fields(problems)) }
}

async fn find_done(
    connection: &mut PgConnection,
    project: ProjectId,
    actor: &str,
    Idempotency { key, fingerprint }: &Idempotency,
) -> Result<Option<Published>, Error> {
    if !db::publishing::try_lock_key(connection, project, actor, key).await? {
        return Err(Error::InFlight);
    }
    match db::publishing::find_answer(connection, project, actor, key).await? {
        None => Ok(None),
        Some(kept) if kept.fingerprint != fingerprint => Err(Error::KeyReused),
        Some(kept) => Ok(Some(Published { events: serde_json::from_value(kept.answer)?, replayed: true })),
    }
}

/// The version of each event's aggregate: the one that it says, which must be above those that are
/// recorded, or the next one. A message of its own is at version 1.
async fn count_versions(
    connection: &mut PgConnection,
    project: ProjectId,
    requests: &[PublishRequest],
) -> Result<Vec<i64>, Error> {
    let names: Vec<Option<AggregateName>> = requests
        .iter()
        .map(|request| Some((request.aggregate_type.as_ref()?.to_string(), request.aggregate_id.clone()?)))
        .collect();
    // Sorted, and each there once.
    let distinct: Vec<AggregateName> =
        names.iter().flatten().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    if distinct.is_empty() {
        return Ok(vec![1; requests.len()]);
    }
    let recorded = db::publishing::lock_versions(connection, project, &distinct).await?;
    let mut reached: BTreeMap<&AggregateName, i64> = distinct.iter().zip(recorded).collect();
    let mut versions = Vec::with_capacity(requests.len());
    for (request, name) in requests.iter().zip(&names) {
        let Some(version) = name.as_ref().and_then(|name| reached.get_mut(name)) else {
            versions.push(1);
            continue;
        };
        let next = request.aggregate_version.unwrap_or(*version + 1);
        if next <= *version {
            return Err(Error::StaleAggregate { current: *version });
        }
        *version = next;
        versions.push(next);
    }
    let reached: Vec<i64> = reached.into_values().collect();
    db::publishing::set_versions(connection, project, &distinct, &reached).await?;
    Ok(versions)
}
