//! The tables `idempotency_keys` and `published_aggregates`.

use std::collections::HashMap;

use serde_json::Value;
use sqlx::{FromRow, PgConnection, PgPool};
use tidewatch_events::ProjectId;

/// What was answered under an idempotency key.
#[derive(Debug, FromRow)]
pub struct KeptAnswer {
    /// SHA-256 of what was asked.
    pub fingerprint: Vec<u8>,
    /// The answer's body.
    pub answer: Value,
}

/// Keeps everyone else who comes with this key out until the transaction ends; `false` when somebody
/// is being served under it. Two keys may share a lock, once in 2^64.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn try_lock_key(
    connection: &mut PgConnection,
    project: ProjectId,
    actor: &str,
    key: &str,
) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar("select pg_try_advisory_xact_lock(hashtextextended($1, 0))")
        .bind(format!("idempotency {project} {actor} {key}"))
        .fetch_one(connection)
        .await
}

/// What was answered under the key.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn find_answer(
    connection: &mut PgConnection,
    project: ProjectId,
    actor: &str,
    key: &str,
) -> Result<Option<KeptAnswer>, sqlx::Error> {
    sqlx::query_as(
        "select fingerprint, answer from idempotency_keys where project_id = $1 and actor = $2 and key = $3",
    )
    .bind(project.uuid())
    .bind(actor)
    .bind(key)
    .fetch_optional(connection)
    .await
}

/// Keeps an answer under the key.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn keep_answer(
    connection: &mut PgConnection,
    project: ProjectId,
    (actor, key): (&str, &str),
    fingerprint: &[u8],
    answer: &Value,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into idempotency_keys (project_id, actor, key, fingerprint, answer) values ($1, $2, $3, $4, $5)",
    )
    .bind(project.uuid())
    .bind(actor)
    .bind(key)
    .bind(fingerprint)
    .bind(answer)
    .execute(connection)
    .await
    .map(drop)
}

/// Forgets keys of more than a day ago, in every project; says how many.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn forget_old_keys(pool: &PgPool) -> Result<u64, sqlx::Error> {
    let done = sqlx::query("delete from idempotency_keys where created_at < now() - interval '24 hours'")
        .execute(pool)
        .await?;
    Ok(done.rows_affected())
}

/// An aggregate that a service keeps.
pub type AggregateName = (String, String);

/// The versions up to which events of these aggregates were published, in the order given; 0 for new
/// ones. Nobody else publishes events of them until the transaction ends. The names must be sorted and
/// each there once: who takes locks in one order waits for nobody who waits for it.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn lock_versions(
    connection: &mut PgConnection,
    project: ProjectId,
    names: &[AggregateName],
) -> Result<Vec<i64>, sqlx::Error> {
    let (types, ids): (Vec<&str>, Vec<&str>) =
        names.iter().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
    let rows: Vec<(String, String, i64)> = sqlx::query_as(
        "insert into published_aggregates as known (project_id, aggregate_type, aggregate_id, version)
         select $1, kind, id, 0 from unnest($2::text[], $3::text[]) with ordinality as name (kind, id, place)
         order by place
         on conflict (project_id, aggregate_type, aggregate_id) do update set version = known.version
         returning aggregate_type, aggregate_id, version",
    )
    .bind(project.uuid())
    .bind(&types)
    .bind(&ids)
    .fetch_all(connection)
    .await?;
    let known: HashMap<AggregateName, i64> =
        rows.into_iter().map(|(kind, id, version)| ((kind, id), version)).collect();
    Ok(names.iter().map(|name| known.get(name).copied().unwrap_or(0)).collect())
}

/// Writes how far these aggregates have come.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn set_versions(
    connection: &mut PgConnection,
    project: ProjectId,
    names: &[AggregateName],
    versions: &[i64],
) -> Result<(), sqlx::Error> {
    let (types, ids): (Vec<&str>, Vec<&str>) =
        names.iter().map(|(kind, id)| (kind.as_str(), id.as_str())).unzip();
    sqlx::query(
        "update published_aggregates as known set version = new.version
         from unnest($2::text[], $3::text[], $4::bigint[]) as new (kind, id, version)
         where known.project_id = $1 and known.aggregate_type = new.kind and known.aggregate_id = new.id",
    )
    .bind(project.uuid())
    .bind(&types)
    .bind(&ids)
    .bind(versions)
    .execute(connection)
    .await
    .map(drop)
}
