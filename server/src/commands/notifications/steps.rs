//! Steps that recipients take with what they were sent: each is one transaction with its events.

use std::collections::HashSet;

use tidewatch_app::model::NotificationStep;
use tidewatch_events::access::Actor;
use tidewatch_events::id::{NotificationId, UserId};
use tidewatch_events::{Metadata, NewEvent, ProjectId};
use tidewatch_outbox::OutboxTransaction;
use time::OffsetDateTime;

use crate::access::Caller;
use crate::commands::Origin;
use crate::db::notifications::receipts::{self, ReceiptRow};
use crate::db::notifications::{inbox, messages};
use crate::error::Error;
use crate::notifications::receipts::{Progress, Way};
use crate::state::AppState;

/// Most notifications of one step.
pub const MAX_AT_ONCE: usize = 500;

/// Who takes a step, and how it is recorded.
#[derive(Debug)]
pub struct Recipient {
    /// In which project.
    pub project: ProjectId,
    /// Who.
    pub user: UserId,
    /// By which way.
    pub way: Way,
    /// Where the step comes from.
    pub metadata: Metadata,
}

impl Recipient {
    /// The person who is asking.
    ///
    /// # Errors
    /// 403 for an API key.
    pub fn of(caller: &Caller, origin: &Origin, way: Way) -> Result<Self, Error> {
        let (project, user) = (caller.project(), caller.recipient()?);
        Ok(Self { project, user, way, metadata: origin.clone().metadata(caller) })
    }
}

/// What a step has made of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub id: NotificationId,
    /// Its version now.
    pub version: u64,
    /// How far its recipient is now.
    pub progress: Progress,
}

/// Takes a step with notifications, with all of them or with none, and gives those that it has changed.
///
/// # Errors
/// 404 where one is not the recipient's, whether there is one or not; 409 where one cannot be acknowledged or put away;
/// 422 for too many.
pub async fn take(
    state: &AppState,
    recipient: &Recipient,
    ids: &[NotificationId],
    step: NotificationStep,
) -> Result<Vec<Taken>, Error> {
    if ids.len() > MAX_AT_ONCE {
        return Err(Error::field("ids", format!("must have at most {MAX_AT_ONCE} entries")));
    }
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut transaction = state.outbox.begin(recipient.project).await?;
    let Locked { own, others } = lock(&mut transaction, recipient, ids, step).await?;
    let found: HashSet<NotificationId> = own.iter().map(ReceiptRow::id).collect();
    if let Some(missing) = ids.iter().find(|id| !found.contains(id)) {
        return Err(not_found(*missing));
    }
    let now = OffsetDateTime::now_utc();
    let (taken, mut events) = advance(&mut transaction, recipient, &own, step, now).await?;
    if step == NotificationStep::Acknowledge {
        events.extend(settle(&mut transaction, recipient, &own, &others, now).await?);
    }
    if !events.is_empty() {
        transaction.record_all(&events).await?;
    }
    transaction.commit().await?;
    Ok(taken)
}

/// All of the recipient's that were sent up to this one, and not put away, count as read.
///
/// # Errors
/// 404 where it is not the recipient's, whether there is one or not.
pub async fn read_up_to(state: &AppState, recipient: &Recipient, up_to: NotificationId) -> Result<(), Error> {
    let (project, user) = (recipient.project, recipient.user);
    let mut begun = false;
    loop {
        let mut snapshot = crate::db::begin_snapshot(&state.pool, project).await?;
        if !begun && inbox::find(&mut snapshot, project, user, up_to).await?.is_none() {
            return Err(not_found(up_to));
        }
        begun = true;
        let limit = u32::try_from(MAX_AT_ONCE).unwrap_or(u32::MAX);
        let ids = receipts::unread_up_to(&mut snapshot, project, user, up_to, limit).await?;
        snapshot.rollback().await?;
        if ids.is_empty() {
            return Ok(());
        }
        take(state, recipient, &ids, NotificationStep::Read).await?;
    }
}

/// What there is to say of a notification that is not the recipient's: the same, whether there is one or not.
#[must_use]
pub fn not_found(id: NotificationId) -> Error {
    Error::NotFound(format!("notification {id}"))
}

/// What a step is about.
struct Locked {
    /// The recipient's own receipts.
    own: Vec<ReceiptRow>,
    /// Those of others for whom it is settled by that.
    others: Vec<ReceiptRow>,
}

/// Locks what the step is about. Messages come before receipts, one's own before others', and all in the order of their
/// ids, so that nobody waits for each other for ever. Others' are locked only where this may be the first word.
async fn lock(
    transaction: &mut OutboxTransaction,
    recipient: &Recipient,
    ids: &[NotificationId],
    step: NotificationStep,
) -> Result<Locked, sqlx::Error> {
    let Recipient { project, user, .. } = *recipient;
    let open = match step {
        NotificationStep::Acknowledge => messages::lock_of(transaction, project, user, ids).await?,
        _ => Vec::new(),
    };
    let own = receipts::lock(transaction, project, user, ids).await?;
    let others = match open.as_slice() {
        [] => Vec::new(),
        open => receipts::lock_others(transaction, project, user, open).await?,
    };
    Ok(Locked { own, others })
}

/// Writes how far the recipient is behind the step, and gives what that changed with the events that tell of it.
async fn advance(
    transaction: &mut OutboxTransaction,
    recipient: &Recipient,
    own: &[ReceiptRow],
    step: NotificationStep,
    now: OffsetDateTime,
) -> Result<(Vec<Taken>, Vec<NewEvent>), Error> {
    let (mut taken, mut changes, mut events) = (Vec::new(), Vec::new(), Vec::new());
    for row in own {
        let next = row.progress().after(step, row.terms(), now);
        let next = next.map_err(|refused| Error::Refused(refused.to_string()))?;
        let Some(next) = next else { continue };
        changes.push((row.id(), next));
        let receipt = row.next(recipient.project);
        taken.push(Taken { id: row.id(), version: receipt.version.unsigned_abs(), progress: next });
        events.push(receipt.taken(step, recipient.way, recipient.metadata.clone())?);
    }
    if !changes.is_empty() {
        receipts::advance(transaction, recipient.project, &changes, recipient.way).await?;
    }
    Ok((taken, events))
}

/// Notes of the messages that nobody had acknowledged that this is done, and gives the events that tell the other
/// recipients: that somebody has, and not who. They may be customers who know nothing of each other.
async fn settle(
    transaction: &mut OutboxTransaction,
    recipient: &Recipient,
    own: &[ReceiptRow],
    others: &[ReceiptRow],
    now: OffsetDateTime,
) -> Result<Vec<NewEvent>, Error> {
    let Recipient { project, user, .. } = *recipient;
    let said: Vec<NotificationId> = own.iter().map(ReceiptRow::message).collect();
    let first = messages::acknowledge(transaction, project, &said, user, now).await?;
    let told: Vec<&ReceiptRow> = others.iter().filter(|row| first.contains(&row.message())).collect();
    let ids: Vec<NotificationId> = told.iter().map(|row| row.id()).collect();
    if !ids.is_empty() {
        receipts::settle(transaction, project, &ids).await?;
    }
    let metadata = Metadata {
        actor: Some(Actor::System("notifications".into())),
        traceparent: recipient.metadata.traceparent.clone(),
        ..Metadata::default()
    };
    let events = told.into_iter().map(|row| row.next(project).settled(metadata.clone()));
    Ok(events.collect::<Result<_, _>>()?)
}
