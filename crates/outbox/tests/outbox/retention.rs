//! Retention: old partitions go, nothing unpublished does, nobody waits long for it.

use std::time::Duration;

use sqlx::{Connection, PgPool};
use tidewatch_events::{Position, ProjectId};
use tidewatch_outbox::retention::{self, RetentionConfig, drop_partitions, ensure_partitions};
use tidewatch_outbox::{PublishedLog, RecordError, publish_pending, record};
use time::OffsetDateTime;

use crate::fixture::{
    Background, backend_pid, commit, connect, event, eventually, ids, insert_old, new_project, old_partition,
    pool_named, positions, publish, published, until_blocked, until_query_blocked,
};

/// Seven days ago.
fn cutoff() -> OffsetDateTime {
    OffsetDateTime::now_utc() - RetentionConfig::default().keep
}

async fn partitions(pool: &PgPool) -> Vec<String> {
    sqlx::query_scalar(
        "select inhrelid::regclass::text from pg_inherits where inhparent = 'domain_events'::regclass order by 1",
    )
    .fetch_all(pool)
    .await
    .expect("the partitions")
}

/// Drops the partitions from `day`s on, today being 0.
async fn drop_days_from(pool: &PgPool, day: i32) {
    for partition in partitions(pool).await {
        let sql = format!("drop table {partition}");
        let drops: bool = sqlx::query_scalar(
            "select $1 ~ '\\d{8}$' and to_date(right($1, 8), 'YYYYMMDD') >= (now() at time zone 'utc')::date + $2",
        )
        .bind(&partition)
        .bind(day)
        .fetch_one(pool)
        .await
        .expect("a comparison");
        if drops {
            sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await.expect("dropped");
        }
    }
}

/// Inserts an event that was recorded so many days ago and never published.
async fn insert_unpublished(pool: &PgPool, project: ProjectId, days_ago: i32) {
    sqlx::query(
        "insert into domain_events (event_id, recorded_on, project_id, event_type, aggregate_type, aggregate_id,
                                    aggregate_version, occurred_at, payload)
         values (gen_random_uuid(), (now() at time zone 'utc')::date - $2, $1, 'a.b', 'A', 'late', 1, now(), '{}')",
    )
    .bind(project.uuid())
    .bind(days_ago)
    .execute(pool)
    .await
    .expect("inserted");
}

#[sqlx::test(migrations = "../../migrations")]
async fn old_published_partitions_go_and_the_oldest_position_moves_on(pool: PgPool) {
    let (project, other) = (new_project(), new_project());
    let names = [old_partition(&pool, 10).await, old_partition(&pool, 9).await];
    insert_old(&pool, project, 10, &[1, 2, 3]).await;
    insert_old(&pool, project, 9, &[4, 5, 6]).await;
    insert_old(&pool, other, 10, &[1]).await;
    commit(&pool, &[event(project, "a", 1)]).await;
    publish(&pool).await;

    assert_eq!(drop_partitions(&pool, cutoff()).await.expect("dropped"), names);
    assert!(partitions(&pool).await.iter().all(|partition| !names.contains(partition)));
    let log = PublishedLog::new(pool.clone());
    let head = log.head(project).await.expect("the head");
    assert_eq!((head.oldest.get(), head.last.get()), (7, 7));
    let head = log.head(other).await.expect("the head");
    assert_eq!((head.oldest.get(), head.last.get()), (2, 1));
    assert_eq!(positions(&published(&pool, project).await), [7]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn positions_go_on_after_everything_was_dropped(pool: PgPool) {
    let project = new_project();
    old_partition(&pool, 10).await;
    insert_old(&pool, project, 10, &[1, 2, 3]).await;
    drop_partitions(&pool, cutoff()).await.expect("dropped");
    commit(&pool, &[event(project, "a", 1)]).await;
    publish(&pool).await;

    assert_eq!(positions(&published(&pool, project).await), [4]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_partition_with_an_unpublished_event_stays_and_all_later_ones(pool: PgPool) {
    let project = new_project();
    let mut names = Vec::new();
    for days_ago in [12, 11, 10] {
        names.push(old_partition(&pool, days_ago).await);
    }
    insert_old(&pool, project, 12, &[1]).await;
    insert_old(&pool, project, 11, &[2]).await;
    insert_unpublished(&pool, project, 11).await;
    insert_old(&pool, project, 10, &[3]).await;

    assert_eq!(drop_partitions(&pool, cutoff()).await.expect("dropped"), names[..1]);
    let left = partitions(&pool).await;
    assert!(names[1..].iter().all(|name| left.contains(name)), "{left:?}");
    assert_eq!(positions(&published(&pool, project).await), [2, 3]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_recorded_long_ago_and_published_just_now_stays(pool: PgPool) {
    let project = new_project();
    old_partition(&pool, 10).await;
    insert_unpublished(&pool, project, 10).await;
    publish(&pool).await;

    assert_eq!(drop_partitions(&pool, cutoff()).await.expect("looked"), Vec::<String>::new());
    assert_eq!(positions(&published(&pool, project).await), [1]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_younger_than_the_cutoff_stays(pool: PgPool) {
    let project = new_project();
    old_partition(&pool, 5).await;
    insert_old(&pool, project, 5, &[1]).await;

    assert_eq!(drop_partitions(&pool, cutoff()).await.expect("looked"), Vec::<String>::new());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reader_from_before_is_told_the_oldest_position(pool: PgPool) {
    let project = new_project();
    old_partition(&pool, 10).await;
    insert_old(&pool, project, 10, &[1, 2, 3]).await;
    let recorded = commit(&pool, &[event(project, "a", 1)]).await;
    publish(&pool).await;
    drop_partitions(&pool, cutoff()).await.expect("dropped");
    let log = PublishedLog::new(pool.clone());

    let page = log.read(project, Position::START, 10).await.expect("the log");
    assert_eq!(page.oldest.get(), 4);
    assert_eq!(ids(&page.events), recorded);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_page_has_no_hole_where_positions_cross_midnight(pool: PgPool) {
    let project = new_project();
    old_partition(&pool, 10).await;
    old_partition(&pool, 5).await;
    insert_old(&pool, project, 10, &[1, 2, 4]).await;
    insert_old(&pool, project, 5, &[3, 5, 6]).await;
    drop_partitions(&pool, cutoff()).await.expect("dropped");

    let page = PublishedLog::new(pool.clone()).read(project, Position::START, 10).await.expect("the log");
    assert_eq!(page.oldest.get(), 5);
    assert_eq!(positions(&page.events), [5, 6]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_long_transaction_puts_dropping_off_and_writers_go_on(pool: PgPool) {
    let project = new_project();
    let name = old_partition(&pool, 10).await;
    insert_old(&pool, project, 10, &[1]).await;
    let mut long = connect(&pool).await;
    let mut long = long.begin().await.expect("a transaction");
    record(&mut long, event(project, "long", 1)).await.expect("recorded");
    let dropping = tokio::spawn({
        let pool = pool.clone();
        async move { drop_partitions(&pool, cutoff()).await }
    });
    until_query_blocked(&pool, "drop_event_partition").await;

    // It queues behind the lock that is waited for, and passes though the long one is still open.
    commit(&pool, &[event(project, "a", 1)]).await;
    let error = dropping.await.expect("no panic").expect_err("no lock to be had");
    assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("55P03"));
    assert!(partitions(&pool).await.contains(&name));
    let head = PublishedLog::new(pool.clone()).head(project).await.expect("the head");
    assert_eq!(head.oldest.get(), 1, "nothing is said to be gone that is not");
    long.commit().await.expect("committed");
    assert_eq!(drop_partitions(&pool, cutoff()).await.expect("dropped"), [name]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_long_transaction_puts_making_off_and_writers_go_on(pool: PgPool) {
    let project = new_project();
    drop_days_from(&pool, 7).await;
    let mut long = connect(&pool).await;
    let mut long = long.begin().await.expect("a transaction");
    record(&mut long, event(project, "long", 1)).await.expect("recorded");
    let making = tokio::spawn({
        let pool = pool.clone();
        async move { ensure_partitions(&pool).await }
    });
    until_query_blocked(&pool, "ensure_event_partitions").await;

    commit(&pool, &[event(project, "a", 1)]).await;
    let error = making.await.expect("no panic").expect_err("no lock to be had");
    assert_eq!(error.as_database_error().and_then(|error| error.code()).as_deref(), Some("55P03"));
    long.commit().await.expect("committed");
    ensure_partitions(&pool).await.expect("made");
}

#[sqlx::test(migrations = "../../migrations")]
async fn dropping_and_publishing_at_once_do_not_deadlock(pool: PgPool) {
    let mut projects: Vec<_> = (0..6).map(|_| new_project()).collect();
    old_partition(&pool, 10).await;
    for (project, version) in projects.iter().zip(1..) {
        insert_old(&pool, *project, 10, &[1]).await;
        commit(&pool, &[event(*project, "a", version)]).await;
    }
    // One stream is held, so that the relay stops among the streams, wherever it begins.
    let held = projects.remove(3);
    let mut holder = connect(&pool).await;
    let mut holder = holder.begin().await.expect("a transaction");
    sqlx::query("select from project_streams where project_id = $1 for update")
        .bind(held.uuid())
        .execute(&mut *holder)
        .await
        .expect("held");
    let mut session = connect(&pool).await;
    let relay_pid = backend_pid(&mut session).await;
    let publishing = tokio::spawn(async move { publish_pending(&mut session, 100).await });
    until_blocked(&pool, relay_pid).await;
    let dropping = tokio::spawn({
        let pool = pool.clone();
        async move { drop_partitions(&pool, cutoff()).await }
    });
    until_query_blocked(&pool, "drop_event_partition").await;
    holder.rollback().await.expect("let go");

    assert_eq!(publishing.await.expect("no panic").expect("published"), 6);
    assert_eq!(dropping.await.expect("no panic").expect("dropped").len(), 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn instances_that_drop_at_once_do_not_disturb_each_other(pool: PgPool) {
    let project = new_project();
    let mut names = Vec::new();
    for (days_ago, position) in [(12, 1), (11, 2), (10, 3)] {
        names.push(old_partition(&pool, days_ago).await);
        insert_old(&pool, project, days_ago, &[position]).await;
    }
    let own_pool = pool_named(&pool, "instances", 4);
    let instances: Vec<_> = (0..4)
        .map(|_| {
            let pool = own_pool.clone();
            tokio::spawn(async move { drop_partitions(&pool, cutoff()).await })
        })
        .collect();
    let mut dropped = Vec::new();
    for instance in instances {
        dropped.extend(instance.await.expect("no panic").expect("no error"));
    }

    // Whoever came second may have left the rest to the next run.
    dropped.extend(drop_partitions(&pool, cutoff()).await.expect("dropped"));
    dropped.sort();
    assert_eq!(dropped, names);
    own_pool.close().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn making_partitions_twice_makes_them_once(pool: PgPool) {
    let before = partitions(&pool).await;
    ensure_partitions(&pool).await.expect("made");

    assert_eq!(partitions(&pool).await, before);
    // Yesterday, today, seven days ahead, and the default one.
    assert_eq!(before.len(), 10);
}

#[sqlx::test(migrations = "../../migrations")]
async fn instances_that_make_partitions_at_once_do_not_disturb_each_other(pool: PgPool) {
    let before = partitions(&pool).await;
    drop_days_from(&pool, -1).await;
    let own_pool = pool_named(&pool, "instances", 6);
    let instances: Vec<_> = (0..6)
        .map(|_| {
            let pool = own_pool.clone();
            tokio::spawn(async move { ensure_partitions(&pool).await })
        })
        .collect();
    for instance in instances {
        instance.await.expect("no panic").expect("no error");
    }

    assert_eq!(partitions(&pool).await, before);
    own_pool.close().await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn events_of_a_day_without_partition_are_published_all_the_same(pool: PgPool) {
    let project = new_project();
    drop_days_from(&pool, 0).await;
    let mut recorded = commit(&pool, &[event(project, "a", 1)]).await;
    let partition: String = sqlx::query_scalar("select tableoid::regclass::text from domain_events")
        .fetch_one(&pool)
        .await
        .expect("a row");
    assert_eq!(partition, "domain_events_default");
    publish(&pool).await;
    // The day cannot get its partition any more, which stops neither the making of others nor writers.
    ensure_partitions(&pool).await.expect("made");
    recorded.extend(commit(&pool, &[event(project, "a", 2)]).await);
    publish(&pool).await;

    assert_eq!(ids(&published(&pool, project).await), recorded);
    assert_eq!(partitions(&pool).await.len(), 9);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_taken_version_is_refused_on_a_day_without_partition(pool: PgPool) {
    let project = new_project();
    drop_days_from(&pool, 0).await;
    commit(&pool, &[event(project, "a", 1)]).await;
    let mut transaction = pool.begin().await.expect("a transaction");
    let error = record(&mut transaction, event(project, "a", 1)).await.expect_err("taken");

    assert!(matches!(error, RecordError::VersionTaken { .. }), "{error:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn maintenance_makes_and_drops_by_itself(pool: PgPool) {
    let project = new_project();
    let before = partitions(&pool).await;
    drop_days_from(&pool, 5).await;
    old_partition(&pool, 10).await;
    insert_old(&pool, project, 10, &[1]).await;
    let background = Background::default();
    let own_pool = pool_named(&pool, "maintenance", 1);
    let config = RetentionConfig { every: Duration::from_millis(10), ..RetentionConfig::default() };
    background.spawn(retention::run(own_pool.clone(), config, background.shutdown()));

    eventually("the partitions are as they should be", async || {
        (partitions(&pool).await == before).then_some(())
    })
    .await;
    background.stop().await;
    own_pool.close().await;
}
