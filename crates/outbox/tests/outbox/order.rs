//! Positions: dense, and in an order that hides no late commit.

use sqlx::{Connection, PgPool};
use tidewatch_events::Position;
use tidewatch_outbox::{PublishedLog, publish_pending, record, record_all};

use crate::fixture::{
    commit, connect, event, events, ids, new_project, positions, publish, published, versions,
};

#[sqlx::test(migrations = "../../migrations")]
async fn positions_are_dense_in_a_project_and_independent_between_projects(pool: PgPool) {
    let (one, other) = (new_project(), new_project());
    for version in 1..=5 {
        commit(&pool, &[event(one, "a", version), event(other, "a", 2 * version), event(one, "b", version)])
            .await;
        // Every other time, so that batches of one and of two transactions both occur.
        if version % 2 == 0 {
            publish(&pool).await;
        }
    }
    publish(&pool).await;

    assert_eq!(positions(&published(&pool, one).await), (1..=10).collect::<Vec<_>>());
    assert_eq!(positions(&published(&pool, other).await), (1..=5).collect::<Vec<_>>());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_rollback_leaves_no_hole(pool: PgPool) {
    let project = new_project();
    commit(&pool, &[event(project, "a", 1)]).await;
    let mut transaction = pool.begin().await.expect("a transaction");
    record_all(&mut transaction, &events(project, "gone", 1..=9)).await.expect("recorded");
    transaction.rollback().await.expect("rolled back");
    commit(&pool, &[event(project, "a", 2)]).await;
    publish(&pool).await;

    assert_eq!(positions(&published(&pool, project).await), [1, 2]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_late_commit_is_delivered_behind_what_was_published_before_it(pool: PgPool) {
    let project = new_project();
    let mut early = connect(&pool).await;
    let mut early = early.begin().await.expect("a transaction");
    let late_id = record(&mut early, event(project, "late", 1)).await.expect("recorded");
    let quick = commit(&pool, &[event(project, "quick", 1)]).await;
    assert!(late_id < quick[0], "the late one has the lower id");
    publish(&pool).await;
    assert_eq!(ids(&published(&pool, project).await), quick);

    early.commit().await.expect("committed");
    publish(&pool).await;

    assert_eq!(ids(&published(&pool, project).await), [quick[0], late_id]);
    let sequences: Vec<i64> = sqlx::query_scalar("select sequence from domain_events order by position")
        .fetch_all(&pool)
        .await
        .expect("rows");
    assert!(sequences[0] > sequences[1], "the late one has the lower sequence");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reader_that_resumes_from_the_later_event_gets_the_late_commit(pool: PgPool) {
    let project = new_project();
    let log = PublishedLog::new(pool.clone());
    let mut early = connect(&pool).await;
    let mut early = early.begin().await.expect("a transaction");
    let late_id = record(&mut early, event(project, "late", 1)).await.expect("recorded");
    let quick = commit(&pool, &[event(project, "quick", 1)]).await;
    publish(&pool).await;
    let resume = log.position_of(project, quick[0]).await.expect("a look").expect("published");

    early.commit().await.expect("committed");
    publish(&pool).await;

    let page = log.read(project, resume, 10).await.expect("the log");
    assert_eq!(ids(&page.events), [late_id]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_long_transaction_delays_only_its_own_events(pool: PgPool) {
    let project = new_project();
    let mut long = connect(&pool).await;
    let mut long = long.begin().await.expect("a transaction");
    record(&mut long, event(project, "long", 1)).await.expect("recorded");

    for version in 1..=20 {
        commit(&pool, &[event(project, "a", version)]).await;
        assert_eq!(publish(&pool).await, 1, "the others flow");
    }
    long.commit().await.expect("committed");
    publish(&pool).await;

    let published = published(&pool, project).await;
    assert_eq!(versions(&published).last(), Some(&("long", 1)));
    assert_eq!(published.len(), 21);
}

#[sqlx::test(migrations = "../../migrations")]
async fn versions_inserted_in_the_wrong_order_are_published_in_the_right_one(pool: PgPool) {
    let project = new_project();
    commit(&pool, &events(project, "a", [3, 1, 4, 2])).await;
    commit(&pool, &events(project, "a", [7, 6, 5])).await;
    publish(&pool).await;

    let expected: Vec<_> = (1..=7).map(|version| ("a", version)).collect();
    assert_eq!(versions(&published(&pool, project).await), expected);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_corrected_order_moves_no_other_aggregate_ahead_of_its_own_versions(pool: PgPool) {
    let project = new_project();
    let mixed = [("a", 2), ("b", 1), ("c", 2), ("a", 1), ("b", 2), ("c", 1), ("d", 1)];
    let mixed: Vec<_> = mixed.into_iter().map(|(name, version)| event(project, name, version)).collect();
    commit(&pool, &mixed).await;
    publish(&pool).await;

    // What was in the right order stays where it was.
    let expected = [("b", 1), ("a", 1), ("a", 2), ("b", 2), ("c", 1), ("c", 2), ("d", 1)];
    assert_eq!(versions(&published(&pool, project).await), expected);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_backlog_is_published_in_the_order_of_insertion_batch_by_batch(pool: PgPool) {
    let project = new_project();
    let recorded = commit(&pool, &events(project, "a", 1..=25)).await;
    let mut session = pool.acquire().await.expect("a connection");
    let mut batches = Vec::new();
    loop {
        match publish_pending(&mut session, 10).await.expect("published") {
            0 => break,
            count => batches.push(count),
        }
    }
    drop(session);

    assert_eq!(batches, [10, 10, 5]);
    assert_eq!(ids(&published(&pool, project).await), recorded);
}

#[sqlx::test(migrations = "../../migrations")]
async fn pages_follow_each_other_without_gap_or_repeat(pool: PgPool) {
    let project = new_project();
    let log = PublishedLog::new(pool.clone());
    let recorded = commit(&pool, &events(project, "a", 1..=10)).await;
    publish(&pool).await;
    let (mut read, mut after) = (Vec::new(), Position::START);
    loop {
        let page = log.read(project, after, 3).await.expect("the log");
        let Some(last) = page.events.last() else { break };
        after = last.envelope.position;
        read.extend(ids(&page.events));
    }

    assert_eq!(read, recorded);
}
