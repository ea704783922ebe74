//! The table `push_subscriptions`: where browsers are reached by Web Push.

use std::collections::HashMap;

use sqlx::{FromRow, PgConnection, PgPool};
use tidewatch_events::ProjectId;
use tidewatch_events::id::UserId;
use uuid::Uuid;

use super::column;

/// Where a browser is reached, and the keys that what goes there is encrypted under.
#[derive(Clone, FromRow)]
pub struct PushSubscription {
    /// Which.
    pub id: Uuid,
    /// The push service's URL for it. Who knows it can reach the browser.
    pub endpoint: String,
    /// The browser's public key.
    pub p256dh: String,
    /// What it and we share.
    pub auth: String,
}

impl std::fmt::Debug for PushSubscription {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PushSubscription").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Writes a browser's subscription, or its new keys, and forgets the person's oldest where they have more than
/// `most`. A browser is one person's in a project: whoever had it before is told there no longer. `login`: that in which
/// it was subscribed, where it is one. Says whether it was not known so.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn save(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    new: &PushSubscription,
    login: Option<Uuid>,
    most: i64,
) -> Result<bool, sqlx::Error> {
    let is_known: bool = sqlx::query_scalar(
        "select exists (select from push_subscriptions
                        where project_id = $1 and user_id = $2 and endpoint = $3 and p256dh = $4 and auth = $5)",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(&new.endpoint)
    .bind(&new.p256dh)
    .bind(&new.auth)
    .fetch_one(&mut *connection)
    .await?;
    sqlx::query("delete from push_subscriptions where project_id = $1 and endpoint = $2 and user_id <> $3")
        .bind(project.uuid())
        .bind(&new.endpoint)
        .bind(user.uuid())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "insert into push_subscriptions (id, project_id, user_id, endpoint, p256dh, auth, login)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (project_id, user_id, endpoint)
             do update set p256dh = excluded.p256dh, auth = excluded.auth, login = excluded.login, created_at = now()",
    )
    .bind(new.id)
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(&new.endpoint)
    .bind(&new.p256dh)
    .bind(&new.auth)
    .bind(login)
    .execute(&mut *connection)
    .await?;
    sqlx::query(
        "delete from push_subscriptions where project_id = $1 and user_id = $2 and id in (
             select id from push_subscriptions where project_id = $1 and user_id = $2
             order by created_at desc, id desc offset $3)",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(most)
    .execute(connection)
    .await?;
    Ok(!is_known)
}

/// Whether a person's browser is known.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn is_known(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    endpoint: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (select from push_subscriptions where project_id = $1 and user_id = $2 and endpoint = $3)",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(endpoint)
    .fetch_one(connection)
    .await
}

/// Forgets the browsers that were subscribed in a login which has ended, in all projects: on a connection of the owner.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete_of_login(pool: &PgPool, login: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("delete from push_subscriptions where login = $1").bind(login).execute(pool).await.map(drop)
}

/// Forgets the browsers that others than this person subscribed in a login, in all projects: on a connection of the owner.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete_of_others(pool: &PgPool, login: Uuid, user: UserId) -> Result<(), sqlx::Error> {
    sqlx::query("delete from push_subscriptions where login = $1 and user_id <> $2")
        .bind(login)
        .bind(user.uuid())
        .execute(pool)
        .await
        .map(drop)
}

/// Forgets a person's browser, and says whether it was known.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete_by_endpoint(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    endpoint: &str,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(
        "delete from push_subscriptions where project_id = $1 and user_id = $2 and endpoint = $3",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(endpoint)
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Forgets a browser that is reached no more.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete(connection: &mut PgConnection, project: ProjectId, id: Uuid) -> Result<(), sqlx::Error> {
    sqlx::query("delete from push_subscriptions where project_id = $1 and id = $2")
        .bind(project.uuid())
        .bind(id)
        .execute(connection)
        .await
        .map(drop)
}

/// A person's browser.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(
    connection: &mut PgConnection,
    project: ProjectId,
    user: UserId,
    id: Uuid,
) -> Result<Option<PushSubscription>, sqlx::Error> {
    sqlx::query_as(
        "select id, endpoint, p256dh, auth from push_subscriptions
         where project_id = $1 and user_id = $2 and id = $3",
    )
    .bind(project.uuid())
    .bind(user.uuid())
    .bind(id)
    .fetch_optional(connection)
    .await
}

/// The browsers of these people, by whose they are.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn of(
    connection: &mut PgConnection,
    project: ProjectId,
    users: &[UserId],
) -> Result<HashMap<UserId, Vec<Uuid>>, sqlx::Error> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "select user_id, id from push_subscriptions where project_id = $1 and user_id = any($2) order by id",
    )
    .bind(project.uuid())
    .bind(column(users, |user| user.uuid()))
    .fetch_all(connection)
    .await?;
    let mut subscriptions: HashMap<UserId, Vec<Uuid>> = HashMap::new();
    for (user, id) in rows {
        subscriptions.entry(UserId::from_uuid(user)).or_default().push(id);
    }
    Ok(subscriptions)
}
