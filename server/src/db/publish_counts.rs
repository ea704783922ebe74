//! The table `publish_counts`.

use sqlx::{FromRow, PgPool};
use uuid::Uuid;

use super::column;

/// What another instance has told of a publisher.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct PublishCount {
    /// Which instance.
    pub instance: Uuid,
    /// Whose events; `None`: it has not told of anybody.
    pub actor: Option<String>,
    /// How many, since it tells of this publisher.
    pub taken: i64,
}

/// What the other instances have told; each that lives has a row at least.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn told_by_others(pool: &PgPool, instance: Uuid) -> Result<Vec<PublishCount>, sqlx::Error> {
    sqlx::query_as(
        "select i.id as instance, p.actor, coalesce(p.taken, 0) as taken
         from instances i left join publish_counts p on p.instance_id = i.id
         where i.id <> $1 and i.seen_at > now() - interval '5 seconds'",
    )
    .bind(instance)
    .fetch_all(pool)
    .await
}

/// Tells the others of events that were published here, and forgets publishers that were silent for a minute: what they
/// published is long back in their buckets.
///
/// # Errors
/// Postgres refused or could not be reached, or the instance is not known (any more).
pub async fn tell(pool: &PgPool, instance: Uuid, taken: &[(String, i64)]) -> Result<(), sqlx::Error> {
    sqlx::query(
        "with silent as (
             delete from publish_counts
             where instance_id = $1 and told_at < now() - interval '1 minute' and actor <> all($2))
         insert into publish_counts (instance_id, actor, taken)
         select $1, actor, taken from unnest($2::text[], $3::bigint[]) as told (actor, taken)
         on conflict (instance_id, actor) do update
         set taken = publish_counts.taken + excluded.taken, told_at = now()",
    )
    .bind(instance)
    .bind(column(taken, |(actor, _)| actor.as_str()))
    .bind(column(taken, |(_, taken)| *taken))
    .execute(pool)
    .await
    .map(drop)
}
