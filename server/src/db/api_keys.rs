//! The table `api_keys`.

use sqlx::{FromRow, PgConnection};
use tidewatch_app::model::ApiKey;
use tidewatch_events::id::{ApiKeyId, UserId};
use tidewatch_events::{ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

/// A key that is alive. Its digest stays in the database.
#[derive(Debug, Clone, FromRow)]
pub struct LiveKey {
    /// Which key.
    pub id: Uuid,
    /// Whose.
    pub project_id: Uuid,
    /// What it is called.
    pub name: String,
    /// What it may.
    pub scopes: Vec<String>,
    /// For whom it acts, where that can be told.
    pub person_id: Option<Uuid>,
}

/// The key with this digest, when it is neither revoked nor expired. Notes that it was used, to
/// the minute.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn use_by_digest(
    connection: &mut PgConnection,
    digest: &[u8],
) -> Result<Option<LiveKey>, sqlx::Error> {
    // A key in use is written once a minute, not at each request.
    sqlx::query_as(
        "with found as (
             select id, project_id, name, scopes, person_id, last_used_at from api_keys
             where digest = $1 and revoked_at is null and (expires_at is null or expires_at > now())
         ), used as (
             update api_keys set last_used_at = now()
             where id in (select id from found where last_used_at is null or last_used_at < now() - interval '1 minute')
         )
         select id, project_id, name, scopes, person_id from found",
    )
    .bind(digest)
    .fetch_optional(connection)
    .await
}

/// Those of these keys that are neither revoked nor expired.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_live(
    connection: &mut PgConnection,
    ids: impl Iterator<Item = ApiKeyId>,
) -> Result<Vec<LiveKey>, sqlx::Error> {
    sqlx::query_as(
        "select id, project_id, name, scopes, person_id from api_keys
         where id = any($1) and revoked_at is null and (expires_at is null or expires_at > now())",
    )
    .bind(ids.map(ApiKeyId::uuid).collect::<Vec<_>>())
    .fetch_all(connection)
    .await
}

/// When a key ended, or will; `None`: it has no end, or there is no such key.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn ends_at(
    connection: &mut PgConnection,
    id: ApiKeyId,
) -> Result<Option<OffsetDateTime>, sqlx::Error> {
    let end: Option<Option<OffsetDateTime>> =
        sqlx::query_scalar("select least(revoked_at, expires_at) from api_keys where id = $1")
            .bind(id.uuid())
            .fetch_optional(connection)
            .await?;
    Ok(end.flatten())
}

/// What is written of a key.
#[derive(Debug)]
pub struct NewApiKey<'a> {
    /// What it is called.
    pub name: &'a str,
    /// Digest of the secret.
    pub digest: &'a [u8],
    /// The secret's last characters.
    pub hint: &'a str,
    /// What it may.
    pub scopes: &'a [String],
    /// Who makes it.
    pub created_by: &'a str,
    /// For whom it will act, where that can be told.
    pub person: Option<UserId>,
    /// When it ends by itself.
    pub expires_at: Option<OffsetDateTime>,
}

/// Writes a new key.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    new: &NewApiKey<'_>,
) -> Result<ApiKeyId, sqlx::Error> {
    let id = Uuid::now_v7();
    sqlx::query(
        "insert into api_keys (id, project_id, name, digest, hint, scopes, created_by, expires_at, person_id)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(id)
    .bind(project.uuid())
    .bind(new.name)
    .bind(new.digest)
    .bind(new.hint)
    .bind(new.scopes)
    .bind(new.created_by)
    .bind(new.expires_at)
    .bind(new.person.map(UserId::uuid))
    .execute(connection)
    .await?;
    Ok(ApiKeyId::from_uuid(id))
}

/// What an [`ApiKeyRow`] of a project is read by: keys that are not deleted, up to further conditions.
macro_rules! select_keys {
    () => {
        "select id, name, hint, scopes, created_by, created_at, last_used_at, expires_at, rotated_to,
                coalesce(expires_at <= now(), false) as expired
         from api_keys
         where project_id = $1 and revoked_at is null"
    };
}

#[derive(FromRow)]
struct ApiKeyRow {
    id: Uuid,
    name: String,
    hint: String,
    scopes: Vec<String>,
    created_by: String,
    created_at: OffsetDateTime,
    last_used_at: Option<OffsetDateTime>,
    expires_at: Option<OffsetDateTime>,
    expired: bool,
    rotated_to: Option<Uuid>,
}

impl From<ApiKeyRow> for ApiKey {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: ApiKeyId::from_uuid(row.id),
            name: row.name,
            hint: row.hint,
            scopes: row.scopes,
            created_by: row.created_by,
            created_at: Timestamp::from(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp::from),
            expires_at: row.expires_at.map(Timestamp::from),
            expired: row.expired,
            rotated_to: row.rotated_to.map(ApiKeyId::from_uuid),
        }
    }
}

/// The project's keys that are not deleted, newest first; with `only`, that one alone.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
    only: Option<ApiKeyId>,
) -> Result<Vec<ApiKey>, sqlx::Error> {
    let rows: Vec<ApiKeyRow> = sqlx::query_as(concat!(
        select_keys!(),
        " and ($2::uuid is null or id = $2)
         order by created_at desc, id desc",
    ))
    .bind(project.uuid())
    .bind(only.map(ApiKeyId::uuid))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// At most `limit` keys that are not deleted, newest first, behind `after`, with each of these words in what they are
/// called, may, end in or were made by, and of these ids, where there are some.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn page(
    connection: &mut PgConnection,
    project: ProjectId,
    words: &[String],
    ids: &[Uuid],
    after: Option<ApiKeyId>,
    limit: u32,
) -> Result<Vec<ApiKey>, sqlx::Error> {
    let rows: Vec<ApiKeyRow> = sqlx::query_as(concat!(
        select_keys!(),
        " and id = all($2)
           and not exists (
             select from unnest($3::text[]) word
             where position(word in lower(concat_ws(' ', name, created_by, hint, array_to_string(scopes, ' ')))) = 0)
           and ($4::uuid is null
                or (created_at, id) < (select last.created_at, last.id from api_keys last
                                       where last.project_id = $1 and last.id = $4))
         order by created_at desc, id desc limit $5",
    ))
    .bind(project.uuid())
    .bind(ids)
    .bind(words)
    .bind(after.map(ApiKeyId::uuid))
    .bind(i64::from(limit))
    .fetch_all(connection)
    .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// Ends a key at a time, unless it ends sooner, and says which one takes its place.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn rotate(
    connection: &mut PgConnection,
    project: ProjectId,
    old: ApiKeyId,
    new: ApiKeyId,
    until: OffsetDateTime,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update api_keys set expires_at = least(expires_at, $4), rotated_to = $3
         where project_id = $1 and id = $2 and revoked_at is null",
    )
    .bind(project.uuid())
    .bind(old.uuid())
    .bind(new.uuid())
    .bind(until)
    .execute(connection)
    .await
    .map(drop)
}

/// Deletes a key: it counts no longer. Its row stays, for what it did is in the audit log.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn delete(
    connection: &mut PgConnection,
    project: ProjectId,
    id: ApiKeyId,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update api_keys set revoked_at = now() where project_id = $1 and id = $2 and revoked_at is null",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .execute(connection)
    .await
    .map(drop)
}

/// Revokes every live key of this name in the project, and says how many there were.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn revoke_by_name(
    connection: &mut PgConnection,
    project: ProjectId,
    name: &str,
) -> Result<u64, sqlx::Error> {
    let done = sqlx::query(
        "update api_keys set revoked_at = now() where project_id = $1 and name = $2 and revoked_at is null",
    )
    .bind(project.uuid())
    .bind(name)
    .execute(connection)
    .await?;
    Ok(done.rows_affected())
}
