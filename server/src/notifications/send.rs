//! Sending: a message is written of an event, and its recipients are told: a receipt each, with its event, and whatever
//! leads outside. Each is one transaction with the job that does it.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::PgConnection;
use tidewatch_app::model::NotificationPriority;
use tidewatch_events::access::Actor;
use tidewatch_events::catalog::access::NotificationEscalated;
use tidewatch_events::id::{NotificationId, UserId};
use tidewatch_events::{
    Event, EventId, EventType, Metadata, NewEvent, PermissionSet, ProjectId, Routing, Subject, SubjectRef,
    visible,
};
use tidewatch_jobs::enqueue;
use tidewatch_outbox::OutboxTransaction;
use uuid::Uuid;

use super::outside::{self, Sent};
use super::preferences::of_notification;
use super::receipts::ReceiptRef;
use super::{audience, template};
use crate::access::credential::subject_of_member;
use crate::db;
use crate::db::notifications::messages::{self, MessageRow, NewMessage};
use crate::db::notifications::receipts::{self, NewReceipt};
use crate::db::notifications::rules::RuleRow;
use crate::db::notifications::settings;
use crate::error::Error;
use crate::jobs::escalate;

/// Writes what a rule makes of an event, and tells its audience, at this place of a trace. Says how many those are; `None` when
/// the rule has made something of the event before. `sends_email`: whether this server does.
///
/// # Errors
/// Postgres refused or could not be reached; then nothing may be committed.
pub async fn announce(
    transaction: &mut OutboxTransaction,
    rule: &RuleRow,
    event: &Event,
    traceparent: Option<&str>,
    sends_email: bool,
) -> Result<Option<usize>, Error> {
    let project = event.routing.project_id;
    let text = template::render(&rule.template, &event.envelope);
    let escalation = audience::resolve(&rule.escalation, event);
    let new = NewMessage {
        rule,
        event: &event.envelope,
        event_audience: event.routing.audience.iter().map(ToString::to_string).collect(),
        text: &text,
        escalation: &escalation,
    };
    let Some(message) = messages::insert(transaction, project, &new).await? else { return Ok(None) };
    if let Some(step) = escalation.first() {
        later(transaction, project, message.id(), 1, step.after_seconds).await?;
    }
    let names = audience::names(&rule.audience, event);
    let metadata = Metadata {
        traceparent: traceparent.map(ToOwned::to_owned),
        ..metadata_of(&message, event.envelope.metadata.correlation_id.clone())
    };
    tell(transaction, project, &message, &names, 0, &metadata, sends_email).await.map(Some)
}

/// Takes the next step of a message's escalation: whoever is next is told, unless they were. Says how many that are.
/// `sends_email`: whether this server does.
///
/// # Errors
/// Postgres refused or could not be reached; then nothing may be committed.
pub async fn escalate(
    transaction: &mut OutboxTransaction,
    project: ProjectId,
    message: &MessageRow,
    sends_email: bool,
) -> Result<usize, Error> {
    let taken = message.step.unsigned_abs();
    let (number, place) = (taken + 1, taken as usize);
    let names = message.escalation.get(place).map(|step| audience::resolved_names(&step.audience));
    let metadata = metadata_of(message, None);
    let names = names.unwrap_or_default();
    let told = tell(transaction, project, message, &names, number, &metadata, sends_email).await?;
    let next = message.escalation.get(place + 1).map(|step| step.after_seconds);
    messages::note_step(transaction, project, message.id(), number, next).await?;
    if let Some(after_seconds) = next {
        later(transaction, project, message.id(), number + 1, after_seconds).await?;
    }
    let payload = NotificationEscalated {
        message_id: message.id(),
        step: number,
        recipients: u32::try_from(told).unwrap_or(u32::MAX),
    };
    // The staff hears of the step, also who may not see the event that led to it: not even which one that was.
    let metadata = Metadata { causation_id: None, ..metadata };
    let mut event = NewEvent::of(project, message.id(), i64::from(number), &payload)?.with_metadata(metadata);
    event.routing.audience.insert(SubjectRef::staff());
    transaction.record(event).await?;
    Ok(told)
}

/// Sends a message to those who go by these names, may see its event and were not told of it, and says how many those
/// are.
async fn tell(
    transaction: &mut OutboxTransaction,
    project: ProjectId,
    message: &MessageRow,
    names: &BTreeSet<SubjectRef>,
    step: u32,
    metadata: &Metadata,
    sends_email: bool,
) -> Result<usize, Error> {
    let users = recipients(transaction, project, message, names).await?;
    let event_type: EventType = message
        .event_type
        .parse()
        .map_err(|_| Error::Internal(format!("{} is no event type", message.event_type)))?;
    let mut preferences = settings::preferences(transaction, project, &users).await?;
    let new: Vec<NewReceipt> = users
        .into_iter()
        .map(|user| {
            let said = preferences.remove(&user).unwrap_or_default();
            let wanted = of_notification(&said, &event_type, message.must_acknowledge);
            NewReceipt { id: NotificationId::from_uuid(Uuid::now_v7()), user, muted: !wanted.in_app }
        })
        .collect();
    if new.is_empty() {
        return Ok(0);
    }
    let number = i32::try_from(step).unwrap_or(i32::MAX);
    receipts::insert_all(transaction, project, message, number, &new).await?;
    let high = message.priority == NotificationPriority::High.as_str();
    let events = new.iter().map(|receipt| {
        let receipt = ReceiptRef { project, id: receipt.id, user: receipt.user, version: 1 };
        receipt.sent(step, high, metadata.clone())
    });
    let events = events.collect::<Result<Vec<_>, _>>()?;
    transaction.record_all(&events).await?;
    let sent: Vec<Sent> = new
        .iter()
        .map(|receipt| Sent {
            id: receipt.id,
            user: receipt.user,
            event_type: message.event_type.clone(),
            must_acknowledge: message.must_acknowledge,
            high,
        })
        .collect();
    outside::enqueue(transaction, project, &sent, sends_email).await?;
    Ok(new.len())
}

/// Those who go by these names and may see the message's event, but for those who were told. In the order of their ids.
async fn recipients(
    connection: &mut PgConnection,
    project: ProjectId,
    message: &MessageRow,
    names: &BTreeSet<SubjectRef>,
) -> Result<Vec<UserId>, Error> {
    let audience = message.event_audience().map_err(|error| Error::Internal(error.to_string()))?;
    // The rule holds the event's permissions, or it would have made no message: to whom it is addressed is left.
    let routing = Routing { audience, ..Routing::in_project(project) };
    let told = receipts::told(connection, project, message.id()).await?;
    let mut users = addressed(connection, project, names, &routing, &PermissionSet::none()).await?;
    users.retain(|user| !told.contains(user));
    Ok(users)
}

/// The members of a project who go by one of these names and, with the permissions that a rule lends them, may see what
/// is routed so. In the order of their ids.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn addressed(
    connection: &mut PgConnection,
    project: ProjectId,
    names: &BTreeSet<SubjectRef>,
    routing: &Routing,
    lent: &PermissionSet,
) -> Result<Vec<UserId>, Error> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let members = db::users::find_named(connection, project, names).await?;
    let mut users: Vec<UserId> = members
        .iter()
        .filter(|member| {
            let subject = Subject { permissions: lent.clone(), ..subject_of_member(member) };
            !names.is_disjoint(&subject.identities) && visible(routing, &subject)
        })
        .map(|member| UserId::from_uuid(member.user_id))
        .collect();
    users.sort_unstable();
    Ok(users)
}

/// Has the next step taken in so many seconds.
async fn later(
    connection: &mut PgConnection,
    project: ProjectId,
    message: NotificationId,
    step: u32,
    seconds: u32,
) -> Result<(), Error> {
    let job = escalate::new_job(project, message, step, Duration::from_secs(seconds.into()))?;
    enqueue(connection, job).await.map(drop).map_err(|error| Error::Internal(error.to_string()))
}

fn metadata_of(message: &MessageRow, correlation_id: Option<String>) -> Metadata {
    Metadata {
        actor: Some(Actor::System("notifications".into())),
        signed_by: None,
        correlation_id,
        causation_id: Some(EventId::from_uuid(message.event_id)),
        traceparent: None,
    }
}
