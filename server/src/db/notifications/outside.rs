//! Receipts as who tells of them outside sees them: on connections of the owner, or in the transaction that sends.

use sqlx::{FromRow, PgConnection, PgPool};
use tidewatch_app::model::EmailPreference;
use tidewatch_events::ProjectId;
use tidewatch_events::id::{NotificationId, UserId};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::db::column;

/// A notification with its recipient, as an e-mail or a push needs them.
#[derive(Debug, Clone, FromRow)]
pub struct OutsideRow {
    /// In a line.
    pub title: String,
    /// Beyond that.
    pub body: String,
    /// How urgent it is.
    pub priority: String,
    /// Whether somebody has to say that it is done.
    pub must_acknowledge: bool,
    /// When it was sent.
    pub sent_at: OffsetDateTime,
    /// How its recipient is told of it by e-mail.
    pub email: String,
    /// Whether it went out by e-mail.
    pub is_mailed: bool,
    /// Whether there is nothing to tell any more: it was read, put away or acknowledged.
    pub is_done: bool,
    /// The type of the event that it tells of.
    pub event_type: String,
    /// Whose it is.
    pub user_id: Uuid,
}

/// A notification whose recipient is in the project yet and not disabled.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(
    connection: &mut PgConnection,
    project: ProjectId,
    id: NotificationId,
) -> Result<Option<OutsideRow>, sqlx::Error> {
    sqlx::query_as(
        "select n.title, n.body, n.priority, n.must_acknowledge, r.sent_at, r.email,
                r.emailed_at is not null as is_mailed,
                r.read_at is not null or r.archived_at is not null or n.acknowledged_at is not null as is_done,
                n.event_type, r.user_id
         from notification_receipts r
         join notifications n on n.id = r.notification_id
         join memberships m on m.project_id = r.project_id and m.user_id = r.user_id
         join users u on u.id = r.user_id
         where r.project_id = $1 and r.id = $2 and m.disabled_at is null and u.disabled_at is null",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await
}

/// Notes how each of these is told by e-mail.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn set_email(
    connection: &mut PgConnection,
    project: ProjectId,
    ways: &[(NotificationId, EmailPreference)],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update notification_receipts r set email = way.email
         from unnest($2::uuid[], $3::text[]) as way (id, email)
         where r.project_id = $1 and r.id = way.id and r.email <> way.email",
    )
    .bind(project.uuid())
    .bind(column(ways, |(id, _)| id.uuid()))
    .bind(column(ways, |(_, email)| email.as_str()))
    .execute(connection)
    .await
    .map(drop)
}

/// Notes that these went out by e-mail. They are locked in the order of their ids, as by everybody who locks several:
/// else two would wait for each other for ever.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn note_mailed(
    connection: &mut PgConnection,
    project: ProjectId,
    ids: &[Uuid],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with locked as materialized (
             select id from notification_receipts
             where project_id = $1 and id = any($2) and emailed_at is null
             order by id for no key update)
         update notification_receipts r set emailed_at = clock_timestamp() from locked where r.id = locked.id",
    )
    .bind(project.uuid())
    .bind(ids)
    .execute(connection)
    .await
    .map(drop)
}

/// Notes that one went out by Web Push.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn note_pushed(
    connection: &mut PgConnection,
    project: ProjectId,
    id: NotificationId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update notification_receipts set pushed_at = clock_timestamp()
         where project_id = $1 and id = $2 and pushed_at is null",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .execute(connection)
    .await
    .map(drop)
}

/// For whom a digest is due: the oldest that waits for it was sent an hour, a day or a week ago, as they want it.
/// So nobody has two of them in that time, and nothing waits longer.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn digests_due(pool: &PgPool, project: ProjectId) -> Result<Vec<UserId>, sqlx::Error> {
    let users: Vec<Uuid> = sqlx::query_scalar(
        "select r.user_id
         from notification_receipts r
         join memberships m on m.project_id = r.project_id and m.user_id = r.user_id and m.disabled_at is null
         join users u on u.id = r.user_id and u.disabled_at is null
         left join notification_settings s on s.project_id = r.project_id and s.user_id = r.user_id
         where r.project_id = $1 and r.email = 'digest' and r.emailed_at is null and r.read_at is null
           and r.archived_at is null
         group by r.user_id, s.digest, s.last_digest_at
         having greatest(min(r.sent_at), s.last_digest_at) <= now() - case coalesce(s.digest, 'daily')
             when 'hourly' then interval '1 hour'
             when 'daily' then interval '1 day'
             when 'weekly' then interval '7 days'
         end",
    )
    .bind(project.uuid())
    .fetch_all(pool)
    .await?;
    Ok(users.into_iter().map(UserId::from_uuid).collect())
}

/// What waits for a person's digest, the newest first: the receipts, and the types of the events that they tell of.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn digest(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<Vec<(Uuid, String)>, sqlx::Error> {
    sqlx::query_as(
        "select r.id, n.event_type
         from notification_receipts r join notifications n on n.id = r.notification_id
         where r.project_id = $1 and r.user_id = $2 and r.email = 'digest' and r.emailed_at is null
           and r.read_at is null and r.archived_at is null
         order by r.id desc",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .fetch_all(connection)
    .await
}

/// Notes that these wait for no digest any more. They are locked in the order of their ids; see [`note_mailed`].
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn leave_out(
    connection: &mut PgConnection,
    project: ProjectId,
    ids: &[Uuid],
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with locked as materialized (
             select id from notification_receipts
             where project_id = $1 and id = any($2) and email = 'digest' and emailed_at is null
             order by id for no key update)
         update notification_receipts r set email = 'off' from locked where r.id = locked.id",
    )
    .bind(project.uuid())
    .bind(ids)
    .execute(connection)
    .await
    .map(drop)
}

/// A notification as a digest lists it.
#[derive(Debug, Clone, FromRow)]
pub struct DigestRow {
    /// The receipt.
    pub id: Uuid,
    /// In a line.
    pub title: String,
    /// Beyond that.
    pub body: String,
    /// Whether somebody has to say that it is done, and nobody has.
    pub must_acknowledge: bool,
    /// When it was sent.
    pub sent_at: OffsetDateTime,
}

/// These notifications, the newest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn listed(
    connection: &mut PgConnection,
    project: ProjectId,
    ids: &[Uuid],
) -> Result<Vec<DigestRow>, sqlx::Error> {
    sqlx::query_as(
        "select r.id, n.title, n.body, n.must_acknowledge and n.acknowledged_at is null as must_acknowledge, r.sent_at
         from notification_receipts r join notifications n on n.id = r.notification_id
         where r.project_id = $1 and r.id = any($2)
         order by r.id desc",
    )
    .bind(project.uuid())
    .bind(ids)
    .fetch_all(connection)
    .await
}

/// Notes that a person's digest went out now.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn note_digest(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into notification_settings (project_id, user_id, last_digest_at)
         values ($1, $2, clock_timestamp())
         on conflict (project_id, user_id) do update set last_digest_at = excluded.last_digest_at",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .execute(connection)
    .await
    .map(drop)
}

/// Turns a person's e-mail off: of every event type, and of what waits to be mailed. Says whether that changes anything;
/// `None`: they are not in the project.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn turn_email_off(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<Option<bool>, sqlx::Error> {
    let is_member: bool =
        sqlx::query_scalar("select exists (select from memberships where project_id = $1 and user_id = $2)")
            .bind(project.uuid())
            .bind(user.uuid())
            .fetch_one(&mut *connection)
            .await?;
    if !is_member {
        return Ok(None);
    }
    let mut changed = 0;
    for statement in [
        // First the row that there is one of: who does so at the same time waits for it.
        "insert into notification_settings as known (project_id, user_id, digest) values ($1, $2, 'off')
         on conflict (project_id, user_id) do update set digest = 'off' where known.digest <> 'off'",
        "update notification_preferences set email = 'off'
         where project_id = $1 and user_id = $2 and email <> 'off'",
        // All types that no other preference names.
        "insert into notification_preferences (project_id, user_id, pattern, email) values ($1, $2, '*', 'off')
         on conflict (project_id, user_id, pattern) do nothing",
        "with locked as materialized (
             select id from notification_receipts
             where project_id = $1 and user_id = $2 and email <> 'off' and emailed_at is null
             order by id for no key update)
         update notification_receipts r set email = 'off' from locked where r.id = locked.id",
    ] {
        let done = sqlx::query(statement).bind(project.uuid()).bind(user.uuid()).execute(&mut *connection);
        changed += done.await?.rows_affected();
    }
    Ok(Some(changed > 0))
}
