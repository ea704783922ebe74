//! The table `audit_entries`: append-only.

use serde_json::Value;
use sqlx::{AssertSqlSafe, FromRow, PgConnection};
use tidewatch_app::model::{AuditEntry, AuditQuery};
use tidewatch_events::access::Actor;
use tidewatch_events::id::{AuditEntryId, RecordId};
use tidewatch_events::{ProjectId, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

/// What is written of a change.
#[derive(Debug)]
pub struct NewAuditEntry<'a> {
    /// Whose.
    pub project: ProjectId,
    /// Who did it.
    pub actor: &'a str,
    /// What they are called.
    pub actor_name: &'a str,
    /// What they did.
    pub action: &'a str,
    /// To what.
    pub target: &'a str,
    /// What that is called.
    pub target_name: &'a str,
    /// What it was.
    pub before: Option<Value>,
    /// What it became.
    pub after: Option<Value>,
    /// In which request.
    pub request_id: &'a str,
}

/// Writes an entry. Part of the transaction that makes the change.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn insert(connection: &mut PgConnection, new: &NewAuditEntry<'_>) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into audit_entries
             (id, project_id, actor, actor_name, action, target, target_name, before, after, request_id)
         values ($1, $2, $3, left($4, 320), $5, $6, left($7, 320), $8, $9, left($10, 200))",
    )
    .bind(Uuid::now_v7())
    .bind(new.project.uuid())
    .bind(new.actor)
    .bind(new.actor_name)
    .bind(new.action)
    .bind(new.target)
    .bind(new.target_name)
    .bind(&new.before)
    .bind(&new.after)
    .bind(new.request_id)
    .execute(connection)
    .await
    .map(drop)
}

/// Whether an entry would be the first that this actor has done this to that. Others who ask the same wait until the
/// transaction ends, but for where there is one already.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn is_first(
    connection: &mut PgConnection,
    project: ProjectId,
    actor: &str,
    action: &str,
    target: &str,
) -> Result<bool, sqlx::Error> {
    if is_noted(connection, project, actor, action, target).await? {
        return Ok(false);
    }
    sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("first audit entry {project} {actor} {action} {target}"))
        .execute(&mut *connection)
        .await?;
    Ok(!is_noted(connection, project, actor, action, target).await?)
}

async fn is_noted(
    connection: &mut PgConnection,
    project: ProjectId,
    actor: &str,
    action: &str,
    target: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(
        "select exists (select from audit_entries
                        where project_id = $1 and target = $2 and actor = $3 and action = $4)",
    )
    .bind(project.uuid())
    .bind(target)
    .bind(actor)
    .bind(action)
    .fetch_one(connection)
    .await
}

#[derive(FromRow)]
struct AuditRow {
    id: Uuid,
    at: OffsetDateTime,
    actor: String,
    actor_name: String,
    action: String,
    target: String,
    target_name: String,
    before: Option<Value>,
    after: Option<Value>,
    request_id: String,
}

impl From<AuditRow> for AuditEntry {
    fn from(row: AuditRow) -> Self {
        Self {
            id: AuditEntryId::from_uuid(row.id),
            at: Timestamp::from(row.at),
            actor: row.actor,
            actor_name: row.actor_name,
            action: row.action,
            target: row.target,
            target_name: row.target_name,
            before: row.before,
            after: row.after,
            request_id: row.request_id,
        }
    }
}

/// At most `limit` entries of the project that the query asks for, newest first.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list(
    connection: &mut PgConnection,
    project: ProjectId,
    query: &AuditQuery,
    limit: u32,
) -> Result<Vec<AuditEntry>, sqlx::Error> {
    // What is an id whole is nobody's name: by itself, so that its index serves it.
    let is_actor = query.actor.as_ref().is_some_and(|actor| actor.parse::<Actor>().is_ok());
    let is_target = query.target.as_ref().is_some_and(|target| target.parse::<RecordId>().is_ok());
    // `position` and `starts_with` take texts as they are: what is asked for is no pattern.
    let actor = match is_actor {
        true => "actor = $2",
        false => "($2::text is null or actor = $2 or position(lower($2) in lower(actor_name)) > 0)",
    };
    let target = match is_target {
        true => "target = $4",
        false => "($4::text is null or target = $4 or position(lower($4) in lower(target_name)) > 0)",
    };
    // An action, or all that begin with a word and a dot: from there up to what follows the dot.
    let action = match query.action.as_deref().map(|action| action.strip_suffix('.')) {
        None => "$3::text is null and $9::text is null",
        Some(None) => "action = $3 and $9::text is null",
        Some(Some(_)) => "action >= $3 and action < $9",
    };
    let end_of_action =
        query.action.as_deref().and_then(|action| action.strip_suffix('.')).map(|word| format!("{word}/"));
    let statement = format!(
        "select id, at, actor, actor_name, action, target, target_name, before, after, request_id
         from audit_entries
         where project_id = $1 and {actor} and {target}
           and {action}
           and ($5::timestamptz is null or at >= $5)
           and ($6::timestamptz is null or at < $6)
           and ($7::uuid is null
                or (at, id) < (select a.at, a.id from audit_entries a where a.project_id = $1 and a.id = $7))
         order by at desc, id desc limit $8"
    );
    // Of the parts above alone.
    let rows: Vec<AuditRow> = sqlx::query_as(AssertSqlSafe(statement))
        .bind(project.uuid())
        .bind(&query.actor)
        .bind(&query.action)
        .bind(&query.target)
        .bind(query.from.map(Timestamp::into_inner))
        .bind(query.to.map(Timestamp::into_inner))
        .bind(query.after.map(AuditEntryId::uuid))
        .bind(i64::from(limit))
        .bind(end_of_action)
        .fetch_all(connection)
        .await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// One entry of the project.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find(
    connection: &mut PgConnection,
    project: ProjectId,
    id: AuditEntryId,
) -> Result<Option<AuditEntry>, sqlx::Error> {
    let row: Option<AuditRow> = sqlx::query_as(
        "select id, at, actor, actor_name, action, target, target_name, before, after, request_id
         from audit_entries where project_id = $1 and id = $2",
    )
    .bind(project.uuid())
    .bind(id.uuid())
    .fetch_optional(connection)
    .await?;
    Ok(row.map(Into::into))
}
