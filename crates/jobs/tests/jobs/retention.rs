//! Finished jobs go after a while, and no others.

use sqlx::PgPool;
use tidewatch_jobs::retention::delete_finished;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::fixture::count;

/// Jobs in this state that were enqueued, and finished where they are, so many days ago.
async fn insert(pool: &PgPool, state: &str, created: i64, finished: Option<i64>, number: usize) {
    let ago = |days| OffsetDateTime::now_utc() - Duration::days(days);
    let milliseconds = u64::try_from(ago(created).unix_timestamp()).expect("after 1970") * 1_000;
    let ids: Vec<Uuid> = (0..number)
        .map(|_| uuid::Builder::from_unix_timestamp_millis(milliseconds, &rand::random()).into_uuid())
        .collect();
    sqlx::query(
        "insert into jobs (id, queue, kind, payload, state, priority, run_at, max_attempts, created_at, finished_at,
                           leased_by, leased_until)
         select id, 'default', 'test.task', '{}', $2, 0, $3, 1, $3, $4,
                case when $2 = 'running' then 'worker' end, case when $2 = 'running' then now() end
         from unnest($1::uuid[]) as id",
    )
    .bind(&ids)
    .bind(state)
    .bind(ago(created))
    .bind(finished.map(ago))
    .execute(pool)
    .await
    .expect("inserted");
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_finished_long_ago_goes_and_nothing_else(pool: PgPool) {
    for state in ["scheduled", "waiting", "running"] {
        insert(&pool, state, 100, None, 1).await;
    }
    insert(&pool, "completed", 100, Some(8), 2_500).await;
    insert(&pool, "completed", 100, Some(6), 1).await;
    insert(&pool, "completed", 1, Some(1), 1).await;
    insert(&pool, "cancelled", 8, Some(8), 1).await;
    insert(&pool, "dead", 100, Some(91), 1).await;
    insert(&pool, "dead", 100, Some(8), 1).await;
    let ago = |days| OffsetDateTime::now_utc() - Duration::days(days);

    assert_eq!(delete_finished(&pool, ago(7), ago(90)).await.expect("deleted"), 2_502);
    assert_eq!(count(&pool).await, 6);
    assert_eq!(delete_finished(&pool, ago(7), ago(90)).await.expect("deleted"), 0);
}
