//! The tables `notification_settings` and `notification_preferences`: what each person wants of notifications.

use std::collections::HashMap;

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::{
    DigestInterval, EmailPreference, NotificationPreference, NotificationSettings, QuietHours,
};
use tidewatch_events::ProjectId;
use tidewatch_events::id::UserId;
use uuid::Uuid;

use crate::db::column;

#[derive(FromRow)]
struct PreferenceRow {
    user_id: Uuid,
    pattern: String,
    in_app: bool,
    email: String,
    push: bool,
}

impl From<PreferenceRow> for NotificationPreference {
    fn from(row: PreferenceRow) -> Self {
        let all = EmailPreference::ALL;
        Self {
            pattern: row.pattern,
            in_app: row.in_app,
            email: all.into_iter().find(|email| email.as_str() == row.email).unwrap_or_default(),
            push: row.push,
        }
    }
}

/// The preferences of these people, by whose they are; those who have none are not in it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn preferences(
    connection: &mut PgConnection,
    project: ProjectId,
    users: &[UserId],
) -> Result<HashMap<UserId, Vec<NotificationPreference>>, sqlx::Error> {
    let rows: Vec<PreferenceRow> = sqlx::query_as(
        "select user_id, pattern, in_app, email, push from notification_preferences
         where project_id = $1 and user_id = any($2) order by pattern",
    )
    .bind(project.uuid())
    .bind(column(users, |user| user.uuid()))
    .fetch_all(connection)
    .await?;
    let mut preferences: HashMap<UserId, Vec<NotificationPreference>> = HashMap::new();
    for row in rows {
        preferences.entry(UserId::from_uuid(row.user_id)).or_default().push(row.into());
    }
    Ok(preferences)
}

#[derive(FromRow)]
struct SettingsRow {
    quiet_from: Option<i16>,
    quiet_until: Option<i16>,
    time_zone: String,
    digest: String,
}

/// What a person wants.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
) -> Result<NotificationSettings, sqlx::Error> {
    let row: Option<SettingsRow> = sqlx::query_as(
        "select quiet_from, quiet_until, time_zone, digest from notification_settings
         where project_id = $1 and user_id = $2",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .fetch_optional(&mut *connection)
    .await?;
    let preferences = preferences(connection, project, &[user]).await?.remove(&user).unwrap_or_default();
    let Some(row) = row else { return Ok(NotificationSettings { preferences, ..Default::default() }) };
    let quiet = row.quiet_from.zip(row.quiet_until);
    let all = DigestInterval::ALL;
    Ok(NotificationSettings {
        preferences,
        quiet: quiet
            .map(|(from, until)| QuietHours { from: from.unsigned_abs(), until: until.unsigned_abs() }),
        time_zone: row.time_zone,
        digest: all.into_iter().find(|digest| digest.as_str() == row.digest).unwrap_or_default(),
    })
}

/// From now on the person wants this, and nothing else.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn save(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    settings: &NotificationSettings,
) -> Result<(), sqlx::Error> {
    let minute = |minute: u16| i16::try_from(minute).unwrap_or(i16::MAX);
    // First the row that there is one of: who saves at the same time waits for it.
    sqlx::query(
        "insert into notification_settings (project_id, user_id, quiet_from, quiet_until, time_zone, digest)
         values ($1, $2, $3, $4, $5, $6)
         on conflict (project_id, user_id) do update set quiet_from = excluded.quiet_from,
             quiet_until = excluded.quiet_until, time_zone = excluded.time_zone, digest = excluded.digest",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(settings.quiet.map(|quiet| minute(quiet.from)))
    .bind(settings.quiet.map(|quiet| minute(quiet.until)))
    .bind(&settings.time_zone)
    .bind(settings.digest.as_str())
    .execute(&mut *connection)
    .await?;
    sqlx::query("delete from notification_preferences where project_id = $1 and user_id = $2")
        .bind(project.uuid())
        .bind(user.uuid())
        .execute(&mut *connection)
        .await?;
    let preferences = &settings.preferences;
    sqlx::query(
        "insert into notification_preferences (project_id, user_id, pattern, in_app, email, push)
         select $1, $2, pattern, in_app, email, push
         from unnest($3::text[], $4::boolean[], $5::text[], $6::boolean[]) as new (pattern, in_app, email, push)",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(column(preferences, |one| one.pattern.as_str()))
    .bind(column(preferences, |one| one.in_app))
    .bind(column(preferences, |one| one.email.as_str()))
    .bind(column(preferences, |one| one.push))
    .execute(connection)
    .await
    .map(drop)
}
