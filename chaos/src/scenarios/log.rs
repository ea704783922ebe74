//! A log with a row that cannot be read, a transaction that does not end, and more than can be published at once.

use std::time::Duration;

use anyhow::ensure;
use sqlx::Connection;
use tokio::time::{Instant, sleep};

use crate::world::{INSTANCES, World};

/// Events of a backlog.
const BACKLOG: i64 = 1_000_000;
/// Longest wait until a backlog is published.
const UNTIL_PUBLISHED: Duration = Duration::from_secs(300);

/// Records events as another program could: of a project of its own, so that nobody's stream is flooded.
const RECORD: &str =
    "insert into domain_events (event_id, project_id, event_type, aggregate_type, aggregate_id,
         aggregate_version, occurred_at, payload)
     select gen_random_uuid(), $1, 'chaos.recorded', 'Chaos', gen_random_uuid()::text, 1, now(), '{}'
     from generate_series(1, $2)";

pub(super) async fn poison(world: &mut World) -> anyhow::Result<Vec<String>> {
    let mut connection = world.connect().await?;
    for _ in 0..5 {
        // A permission that is none: no program of ours writes one.
        sqlx::query(
            "insert into domain_events (event_id, project_id, event_type, aggregate_type, aggregate_id,
                 aggregate_version, occurred_at, payload, permissions)
             values (gen_random_uuid(), $1, 'chaos.poison', 'Chaos', gen_random_uuid()::text, 1, now(), '{}',
                     '{\"not a permission\"}')",
        )
        .bind(world.project)
        .execute(&mut connection)
        .await?;
        sleep(world.options.span() / 10).await;
    }
    Ok(vec!["5 rows that cannot be read".to_owned()])
}

pub(super) async fn long_transaction(world: &mut World) -> anyhow::Result<Vec<String>> {
    let mut connection = world.connect().await?;
    let mut transaction = connection.begin().await?;
    sqlx::query(RECORD).bind(world.project).bind(1_i32).execute(&mut *transaction).await?;
    sleep(world.options.span().max(Duration::from_secs(20))).await;
    transaction.commit().await?;
    Ok(vec!["its event came when it committed, and nobody else's waited for it".to_owned()])
}

pub(super) async fn backlog(world: &mut World) -> anyhow::Result<Vec<String>> {
    let mut connection = world.connect().await?;
    (0..INSTANCES).for_each(|number| world.kill(number));
    let other: uuid::Uuid = sqlx::query_scalar(
        "insert into projects (id, slug, name) values (gen_random_uuid(), 'chaos', 'Chaos')
         on conflict (slug) do update set name = excluded.name returning id",
    )
    .fetch_one(&mut connection)
    .await?;
    sqlx::query(RECORD).bind(other).bind(i32::try_from(BACKLOG)?).execute(&mut connection).await?;
    let waiting: i64 = sqlx::query_scalar("select count(*) from domain_events where position is null")
        .fetch_one(&mut connection)
        .await?;
    let begin = Instant::now();
    for number in 0..INSTANCES {
        world.start(number).await?;
    }
    loop {
        let is_done: bool = sqlx::query_scalar(
            "select not exists (select from domain_events where position is null limit 1)",
        )
        .fetch_one(&mut connection)
        .await?;
        if is_done {
            break;
        }
        ensure!(begin.elapsed() < UNTIL_PUBLISHED, "the backlog is not published");
        sleep(Duration::from_millis(200)).await;
    }
    let took = begin.elapsed().as_secs_f64();
    world.until_ready(INSTANCES).await?;
    Ok(vec![format!("{waiting} events were published in {took:.0} s, with the start of the instances")])
}
