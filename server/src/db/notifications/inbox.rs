//! Notifications as their recipients have them: pages of an inbox, single ones, and what the badge counts.

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::{InboxQuery, Notification, NotificationCount, NotificationFolder};
use tidewatch_events::id::{NotificationId, UserId};
use tidewatch_events::{ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use super::rules::priority;

/// Most notifications that are looked through for one page: an inbox may hold many more, and one that matches nothing
/// would have all of them read.
pub const LOOKED_AT: i64 = 5_000;
/// Notifications that were put away, and others, by which it is known of which types a person was told.
const KNOWN_BY: i64 = 500;

#[derive(FromRow)]
struct NotificationRow {
    id: Uuid,
    version: i64,
    title: String,
    body: String,
    link: String,
    group_key: String,
    priority: String,
    must_acknowledge: bool,
    event_type: String,
    occurred_at: OffsetDateTime,
    sent_at: OffsetDateTime,
    delivered_at: Option<OffsetDateTime>,
    seen_at: Option<OffsetDateTime>,
    read_at: Option<OffsetDateTime>,
    acknowledged_at: Option<OffsetDateTime>,
    settled_at: Option<OffsetDateTime>,
    archived_at: Option<OffsetDateTime>,
    muted: bool,
}

impl From<NotificationRow> for Notification {
    fn from(row: NotificationRow) -> Self {
        Self {
            id: NotificationId::from_uuid(row.id),
            version: row.version.unsigned_abs(),
            title: row.title,
            body: row.body,
            link: row.link,
            group: row.group_key,
            priority: priority(&row.priority),
            must_acknowledge: row.must_acknowledge,
            event_type: row.event_type,
            occurred_at: row.occurred_at.into(),
            sent_at: row.sent_at.into(),
            delivered_at: row.delivered_at.map(Timestamp::from),
            seen_at: row.seen_at.map(Timestamp::from),
            read_at: row.read_at.map(Timestamp::from),
            acknowledged_at: row.acknowledged_at.map(Timestamp::from),
            settled_at: row.settled_at.map(Timestamp::from),
            archived_at: row.archived_at.map(Timestamp::from),
            muted: row.muted,
        }
    }
}

/// What of a notification its recipient is shown, of `r` and `n`.
macro_rules! columns {
    () => {
        "r.id, r.version, n.title, n.body, n.link, n.group_key, n.priority, n.must_acknowledge, n.event_type,
         n.occurred_at, r.sent_at, r.delivered_at, r.seen_at, r.read_at, r.acknowledged_at,
         n.acknowledged_at as settled_at, r.archived_at, r.muted"
    };
}

/// What makes a page of a folder: the receipts that are looked at, the newest first, behind `$3`.
macro_rules! looked_at {
    ($columns:literal, $folder:literal) => {
        concat!(
            "select ",
            $columns,
            " from notification_receipts where project_id = $1 and user_id = $2 and ",
            $folder,
            " and ($3::uuid is null or id < $3) order by id desc"
        )
    };
}

/// The statements of a folder.
struct Statements {
    /// Its notifications: `$4` of this group alone, `$5` with these words, at most `$6` of the first `$7`.
    page: &'static str,
    /// The receipt behind which one that looks at so many goes on, and one more where there is one.
    end: &'static str,
}

macro_rules! statements {
    ($folder:literal) => {
        Statements {
            page: concat!(
                "select ",
                columns!(),
                " from (",
                looked_at!("*", $folder),
                " limit $7) r join notifications n on n.id = r.notification_id
                 where ($4::text is null or n.group_key = $4)
                   and not exists (select from unnest($5::text[]) word
                                   where not (n.title ilike word or n.body ilike word))
                 order by r.id desc limit $6"
            ),
            end: concat!(looked_at!("id", $folder), " offset $4 limit 2"),
        }
    };
}

impl Statements {
    /// One condition a folder: each is read out of an index of its own.
    const fn of(folder: NotificationFolder) -> Self {
        match folder {
            NotificationFolder::Unread => statements!("read_at is null and archived_at is null"),
            NotificationFolder::Open => statements!("(read_at is null or waits) and archived_at is null"),
            NotificationFolder::All => statements!("archived_at is null"),
            NotificationFolder::Archived => statements!("archived_at is not null"),
        }
    }
}

/// A person's notifications that are asked for, newest first, at most so many. Where words or a group are asked for,
/// [`LOOKED_AT`] are looked through for them.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn page(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    asked: &InboxQuery,
    limit: u32,
) -> Result<Vec<Notification>, sqlx::Error> {
    let words: Vec<String> = asked.search.split_whitespace().map(containing).collect();
    let looked_at = if asked.is_narrowed() { LOOKED_AT } else { i64::from(limit) };
    let rows: Vec<NotificationRow> = sqlx::query_as(Statements::of(asked.folder).page)
        .bind(project.uuid())
        .bind(user.uuid())
        .bind(asked.after.map(NotificationId::uuid))
        .bind(&asked.group)
        .bind(words)
        .bind(i64::from(limit))
        .bind(looked_at)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// The last one that [`page`] looked at for words or a group; `None`: there is nothing behind it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn looked_to(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    asked: &InboxQuery,
) -> Result<Option<NotificationId>, sqlx::Error> {
    let ids: Vec<Uuid> = sqlx::query_scalar(Statements::of(asked.folder).end)
        .bind(project.uuid())
        .bind(user.uuid())
        .bind(asked.after.map(NotificationId::uuid))
        .bind(LOOKED_AT - 1)
        .fetch_all(connection)
        .await?;
    Ok(match ids.as_slice() {
        [last, _] => Some(NotificationId::from_uuid(*last)),
        _ => None,
    })
}

/// The pattern of texts that hold this word: what has a meaning in patterns has none in it.
fn containing(word: &str) -> String {
    format!("%{}%", word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

/// One of a person's notifications.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    id: NotificationId,
) -> Result<Option<Notification>, sqlx::Error> {
    let row: Option<NotificationRow> = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from notification_receipts r join notifications n on n.id = r.notification_id
         where r.project_id = $1 and r.user_id = $2 and r.id = $3"
    ))
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Into::into))
}

/// What a person's badge says.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn count(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<NotificationCount, sqlx::Error> {
    let (unread, unacknowledged): (i64, i64) = sqlx::query_as(
        "select (select count(*) from notification_receipts
                 where project_id = $1 and user_id = $2 and read_at is null and archived_at is null and not muted),
                (select count(*) from notification_receipts
                 where project_id = $1 and user_id = $2 and waits and archived_at is null)",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .fetch_one(connection)
    .await?;
    Ok(NotificationCount { unread: unread.unsigned_abs(), unacknowledged: unacknowledged.unsigned_abs() })
}

/// Types of events of which a person was told lately, by name.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn known_types(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<Vec<String>, sqlx::Error> {
    sqlx::query_scalar(
        // The indexes of inbox and archive serve one half each.
        "with lately as materialized (
             (select notification_id from notification_receipts
              where project_id = $1 and user_id = $2 and archived_at is null order by id desc limit $3)
             union all
             (select notification_id from notification_receipts
              where project_id = $1 and user_id = $2 and archived_at is not null order by id desc limit $3))
         select distinct n.event_type from lately join notifications n on n.id = lately.notification_id
         order by n.event_type",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(KNOWN_BY)
    .fetch_all(connection)
    .await
}

#[cfg(test)]
mod tests {
    use super::containing;

    #[test]
    fn what_has_a_meaning_in_patterns_has_none_in_a_word() {
        assert_eq!(containing("50%_\\off"), "%50\\%\\_\\\\off%");
    }
}
