//! The table `notification_receipts`: how far each recipient is with what they were sent.

use std::collections::HashSet;

use sqlx::{FromRow, PgConnection};
use tidewatch_events::ProjectId;
use tidewatch_events::id::{NotificationId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use super::messages::MessageRow;
use crate::db::column;
use crate::notifications::receipts::{Progress, ReceiptRef, Terms, Way};

/// A receipt to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewReceipt {
    /// Which.
    pub id: NotificationId,
    /// Whose.
    pub user: UserId,
    /// Whether it counts in no badge.
    pub muted: bool,
}

/// Writes the receipts of a message that nobody has acknowledged, which are sent by this step.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert_all(
    connection: &mut PgConnection,
    project: ProjectId,
    message: &MessageRow,
    step: i32,
    new: &[NewReceipt],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into notification_receipts (id, project_id, notification_id, step, waits, user_id, muted)
         select id, $1, $2, $3, $4, user_id, muted
         from unnest($5::uuid[], $6::uuid[], $7::boolean[]) as new (id, user_id, muted)",
    )
    .bind(project.uuid())
    .bind(message.id().uuid())
    .bind(step)
    .bind(message.must_acknowledge)
    .bind(column(new, |one| one.id.uuid()))
    .bind(column(new, |one| one.user.uuid()))
    .bind(column(new, |one| one.muted))
    .execute(connection)
    .await
    .map(drop)
}

/// Who was told of a message.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn told(
    connection: &mut PgConnection,
    project: ProjectId,
    message: NotificationId,
) -> Result<HashSet<UserId>, sqlx::Error> {
    let users: Vec<Uuid> = sqlx::query_scalar(
        "select user_id from notification_receipts where project_id = $1 and notification_id = $2",
    )
    .bind(project.uuid())
    .bind(message.uuid())
    .fetch_all(connection)
    .await?;
    Ok(users.into_iter().map(UserId::from_uuid).collect())
}

/// A receipt that is locked.
#[derive(Debug, Clone, FromRow)]
pub struct ReceiptRow {
    id: Uuid,
    notification_id: Uuid,
    user_id: Uuid,
    version: i64,
    delivered_at: Option<OffsetDateTime>,
    seen_at: Option<OffsetDateTime>,
    read_at: Option<OffsetDateTime>,
    acknowledged_at: Option<OffsetDateTime>,
    archived_at: Option<OffsetDateTime>,
    must_acknowledge: bool,
    settled: bool,
}

impl ReceiptRow {
    /// Which.
    #[must_use]
    pub const fn id(&self) -> NotificationId {
        NotificationId::from_uuid(self.id)
    }

    /// Of which message.
    #[must_use]
    pub const fn message(&self) -> NotificationId {
        NotificationId::from_uuid(self.notification_id)
    }

    /// Whose.
    #[must_use]
    pub const fn user(&self) -> UserId {
        UserId::from_uuid(self.user_id)
    }

    /// How far its recipient is.
    #[must_use]
    pub const fn progress(&self) -> Progress {
        Progress {
            delivered_at: self.delivered_at,
            seen_at: self.seen_at,
            read_at: self.read_at,
            acknowledged_at: self.acknowledged_at,
            archived_at: self.archived_at,
        }
    }

    /// What of its message matters to that.
    #[must_use]
    pub const fn terms(&self) -> Terms {
        Terms { must_acknowledge: self.must_acknowledge, settled: self.settled }
    }

    /// The receipt as an event names it that tells of its next version.
    #[must_use]
    pub const fn next(&self, project: ProjectId) -> ReceiptRef {
        ReceiptRef { project, id: self.id(), user: self.user(), version: self.version + 1 }
    }
}

/// The statement that locks the receipts for which `$condition` holds, in the order of their ids.
macro_rules! lock_receipts {
    ($condition:literal) => {
        concat!(
            "select r.id, r.notification_id, r.user_id, r.version, r.delivered_at, r.seen_at, r.read_at,
                    r.acknowledged_at, r.archived_at, n.must_acknowledge, n.acknowledged_at is not null as settled
             from notification_receipts r join notifications n on n.id = r.notification_id
             where r.project_id = $1 and ",
            $condition,
            " order by r.id for no key update of r"
        )
    };
}

/// Those of these receipts that are the person's, locked until the transaction ends.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    ids: &[NotificationId],
) -> Result<Vec<ReceiptRow>, sqlx::Error> {
    sqlx::query_as(lock_receipts!("r.user_id = $2 and r.id = any($3)"))
        .bind(project.uuid())
        .bind(user.uuid())
        .bind(column(ids, |id| id.uuid()))
        .fetch_all(connection)
        .await
}

/// The receipts of these messages that are others' than this person's, locked until the transaction ends.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock_others(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    messages: &[NotificationId],
) -> Result<Vec<ReceiptRow>, sqlx::Error> {
    sqlx::query_as(lock_receipts!("r.user_id <> $2 and r.notification_id = any($3)"))
        .bind(project.uuid())
        .bind(user.uuid())
        .bind(column(messages, |id| id.uuid()))
        .fetch_all(connection)
        .await
}

/// Writes how far recipients are now, as the next version of their receipts.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn advance(
    connection: &mut PgConnection,
    project: ProjectId,
    changes: &[(NotificationId, Progress)],
    way: Way,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update notification_receipts r
         set version = version + 1, delivered_at = next.delivered_at, seen_at = next.seen_at,
             read_at = next.read_at, acknowledged_at = next.acknowledged_at, archived_at = next.archived_at,
             waits = r.waits and next.acknowledged_at is null,
             acknowledged_by_way = case when next.acknowledged_at is not null
                                        then coalesce(r.acknowledged_by_way, $2) end
         from unnest($3::uuid[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
                     $8::timestamptz[])
              as next (id, delivered_at, seen_at, read_at, acknowledged_at, archived_at)
         where r.project_id = $1 and r.id = next.id",
    )
    .bind(project.uuid())
    .bind(way.as_str())
    .bind(column(changes, |(id, _)| id.uuid()))
    .bind(column(changes, |(_, next)| next.delivered_at))
    .bind(column(changes, |(_, next)| next.seen_at))
    .bind(column(changes, |(_, next)| next.read_at))
    .bind(column(changes, |(_, next)| next.acknowledged_at))
    .bind(column(changes, |(_, next)| next.archived_at))
    .execute(connection)
    .await
    .map(drop)
}

/// Notes that somebody else was the first to acknowledge what these receipts are of, as their next version.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn settle(
    connection: &mut PgConnection,
    project: ProjectId,
    ids: &[NotificationId],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update notification_receipts set version = version + 1, waits = false
         where project_id = $1 and id = any($2)",
    )
    .bind(project.uuid())
    .bind(column(ids, |id| id.uuid()))
    .execute(connection)
    .await
    .map(drop)
}

/// The oldest receipts of a person that are unread and not put away, up to this one, at most so many. One with an earlier
/// id that was sent later, as its transaction took longer, is left out: whoever names this one has not seen that.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn unread_up_to(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    up_to: NotificationId,
    limit: u32,
) -> Result<Vec<NotificationId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "with newest as materialized (
             select r.sent_at, e.position
             from notification_receipts r
             left join domain_events e on e.project_id = $1 and e.aggregate_type = 'Notification'
                 and e.aggregate_id = 'ntf_' || crockford(r.id) and e.aggregate_version = 1
                 and e.recorded_on >= (r.sent_at - interval '1 day')::date
             where r.project_id = $1 and r.user_id = $2 and r.id = $3)
         select r.id from notification_receipts r
         where r.project_id = $1 and r.user_id = $2 and r.read_at is null and r.archived_at is null and r.id <= $3
           -- Ids follow the clock: one of long before cannot have come later.
           and not (r.sent_at > (select sent_at from newest) - interval '1 hour' and r.id <> $3 and exists (
             select from domain_events e
             where e.project_id = $1 and e.aggregate_type = 'Notification'
               and e.aggregate_id = 'ntf_' || crockford(r.id) and e.aggregate_version = 1
               and e.recorded_on >= ((select sent_at from newest) - interval '1 day')::date
               and (e.position is null or e.position > (select position from newest))))
         order by r.id limit $4",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(up_to.uuid())
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(ids.into_iter().map(NotificationId::from_uuid).collect())
}
