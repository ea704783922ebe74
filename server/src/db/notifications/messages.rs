//! The table `notifications`: what rules made of events.

use std::collections::BTreeSet;

use sqlx::types::Json;
use sqlx::{FromRow, PgConnection, PgPool};
use tidewatch_app::model::EscalationStep;
use tidewatch_events::access::ParseSubjectError;
use tidewatch_events::id::{NotificationId, UserId};
use tidewatch_events::{Envelope, ProjectId, SubjectRef};
use time::OffsetDateTime;
use uuid::Uuid;

use super::rules::RuleRow;
use crate::db::column;
use crate::db::subscriptions::number;
use crate::notifications::template::Text;

/// Messages that are deleted in one transaction.
const DELETED_AT_ONCE: i64 = 1_000;

/// A message, as who tells somebody of it needs it.
#[derive(Debug, Clone, FromRow)]
pub struct MessageRow {
    id: Uuid,
    /// The event that it tells of.
    pub event_id: Uuid,
    /// Of which type that is.
    pub event_type: String,
    /// How urgent it is.
    pub priority: String,
    /// Whether somebody has to say that it is done.
    pub must_acknowledge: bool,
    event_audience: Vec<String>,
    /// Who is told next, resolved.
    pub escalation: Json<Vec<EscalationStep>>,
    /// The step that was taken last.
    pub step: i32,
    /// When the next one is due.
    pub escalates_at: Option<OffsetDateTime>,
}

impl MessageRow {
    /// Which.
    #[must_use]
    pub const fn id(&self) -> NotificationId {
        NotificationId::from_uuid(self.id)
    }

    /// To whom its event is addressed.
    ///
    /// # Errors
    /// A name cannot be read.
    pub fn event_audience(&self) -> Result<BTreeSet<SubjectRef>, ParseSubjectError> {
        self.event_audience.iter().map(|name| name.parse()).collect()
    }
}

/// A message to be written.
#[derive(Debug)]
pub struct NewMessage<'a> {
    /// The rule that made it.
    pub rule: &'a RuleRow,
    /// Of this event.
    pub event: &'a Envelope,
    /// To whom that is addressed.
    pub event_audience: Vec<String>,
    /// What it says.
    pub text: &'a Text,
    /// Who is told next, resolved.
    pub escalation: &'a [EscalationStep],
}

/// Writes a message; `None` when the rule has made one of this event before.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    new: &NewMessage<'_>,
) -> Result<Option<MessageRow>, sqlx::Error> {
    let event = new.event;
    sqlx::query_as(
        "insert into notifications
             (id, project_id, rule_id, rule_name, event_id, event_type, position, aggregate_type, aggregate_id,
              occurred_at, title, body, link, group_key, priority, must_acknowledge, event_audience, escalation,
              escalates_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
                 clock_timestamp() + make_interval(secs => $19))
         on conflict (rule_id, event_id) do nothing
         returning id, event_id, event_type, priority, must_acknowledge, event_audience, escalation, step,
                   escalates_at",
    )
    .bind(Uuid::now_v7())
    .bind(project.uuid())
    .bind(new.rule.id().uuid())
    .bind(&new.rule.name)
    .bind(event.event_id.uuid())
    .bind(event.event_type.as_str())
    .bind(number(event.position))
    .bind(event.aggregate_type.as_str())
    .bind(&event.aggregate_id)
    .bind(event.occurred_at.into_inner())
    .bind(&new.text.title)
    .bind(&new.text.body)
    .bind(&new.text.link)
    .bind(&new.text.group)
    .bind(new.rule.priority().as_str())
    .bind(new.rule.must_acknowledge)
    .bind(&new.event_audience)
    .bind(Json(new.escalation))
    .bind(new.escalation.first().map(|step| f64::from(step.after_seconds)))
    .fetch_optional(connection)
    .await
}

/// A message that nobody has acknowledged, locked until the transaction ends; `None`: it is gone, or somebody has.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock_open(
    connection: &mut PgConnection,
    project: ProjectId,
    id: NotificationId,
) -> Result<Option<MessageRow>, sqlx::Error> {
    sqlx::query_as(
        "select id, event_id, event_type, priority, must_acknowledge, event_audience, escalation, step, escalates_at
         from notifications where project_id = $1 and id = $2 and acknowledged_at is null for no key update",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await
}

/// Notes that a step of the escalation was taken, and in how many seconds the next one is due.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn note_step(
    connection: &mut PgConnection,
    project: ProjectId,
    id: NotificationId,
    step: u32,
    next_seconds: Option<u32>,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update notifications set step = $3, escalates_at = clock_timestamp() + make_interval(secs => $4)
         where project_id = $1 and id = $2",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .bind(i32::try_from(step).unwrap_or(i32::MAX))
    .bind(next_seconds.map(f64::from))
    .execute(connection)
    .await
    .map(drop)
}

/// Locks the messages that these receipts of a person are of, in the order of their ids: who acknowledges comes before
/// or behind others who do, and before or behind the next step of an escalation. Gives those that must be acknowledged
/// and that nobody has.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock_of(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    receipts: &[NotificationId],
) -> Result<Vec<NotificationId>, sqlx::Error> {
    let locked: Vec<(Uuid, bool)> = sqlx::query_as(
        "select n.id, n.must_acknowledge and n.acknowledged_at is null
         from notifications n
         where n.project_id = $1
           and n.id in (select notification_id from notification_receipts
                        where project_id = $1 and user_id = $2 and id = any($3))
         order by n.id for no key update",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(column(receipts, |id| id.uuid()))
    .fetch_all(connection)
    .await?;
    let open = locked.into_iter().filter(|(_, is_open)| *is_open);
    Ok(open.map(|(id, _)| NotificationId::from_uuid(id)).collect())
}

/// Notes of those of the messages that nobody has acknowledged that this person has, and gives them: nobody is told
/// next.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn acknowledge(
    connection: &mut PgConnection,
    project: ProjectId,
    messages: &[NotificationId],
    user: UserId,
    now: OffsetDateTime,
) -> Result<Vec<NotificationId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "update notifications set acknowledged_at = $4, acknowledged_by = $3, escalates_at = null
         where project_id = $1 and id = any($2) and must_acknowledge and acknowledged_at is null
         returning id",
    )
    .bind(project.uuid())
    .bind(column(messages, |id| id.uuid()))
    .bind(user.uuid())
    .bind(now)
    .fetch_all(connection)
    .await?;
    Ok(ids.into_iter().map(NotificationId::from_uuid).collect())
}

/// A message whose next step is overdue.
#[derive(Debug, FromRow)]
pub struct LateRow {
    /// In which project.
    pub project_id: Uuid,
    /// Which.
    pub id: Uuid,
    /// The step that was taken last.
    pub step: i32,
}

/// Messages, of whatever project, whose next step was due before then.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn late(connection: &mut PgConnection, due: OffsetDateTime) -> Result<Vec<LateRow>, sqlx::Error> {
    sqlx::query_as(
        "select project_id, id, step from notifications where escalates_at < $1 order by escalates_at limit 1000",
    )
    .bind(due)
    .fetch_all(connection)
    .await
}

/// Deletes the messages from before `cutoff` with their receipts, some at a time, but for those that wait to be
/// acknowledged.
///
/// # Errors
/// Postgres refused or could not be reached; what was deleted by then stays so.
pub async fn delete_older(pool: &PgPool, cutoff: OffsetDateTime) -> Result<u64, sqlx::Error> {
    let mut deleted = 0;
    loop {
        let done = sqlx::query(
            "delete from notifications where id in (
                 select id from notifications
                 where created_at < $1 and (not must_acknowledge or acknowledged_at is not null)
                 order by created_at limit $2)",
        )
        .bind(cutoff)
        .bind(DELETED_AT_ONCE)
        .execute(pool)
        .await?
        .rows_affected();
        deleted += done;
        if done < DELETED_AT_ONCE.unsigned_abs() {
            return Ok(deleted);
        }
    }
}
