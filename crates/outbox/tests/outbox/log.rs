//! The published log: finding a place in it, and rows that cannot be read.

use sqlx::PgPool;
use tidewatch_events::{EventId, Permission, Position, ProjectId, Timestamp};
use tidewatch_outbox::PublishedLog;
use uuid::Uuid;

use crate::fixture::{commit, event, events, ids, new_project, positions, publish, published};

#[sqlx::test(migrations = "../../migrations")]
async fn a_published_event_has_a_position(pool: PgPool) {
    let project = new_project();
    let recorded = commit(&pool, &events(project, "a", 1..=3)).await;
    publish(&pool).await;
    let found = PublishedLog::new(pool.clone()).position_of(project, recorded[1]).await.expect("a look");

    assert_eq!(found.map(Position::get), Some(2));
}

#[sqlx::test(migrations = "../../migrations")]
async fn unknown_foreign_and_unpublished_events_look_the_same(pool: PgPool) {
    let (project, other) = (new_project(), new_project());
    let foreign = commit(&pool, &[event(other, "a", 1)]).await[0];
    publish(&pool).await;
    let unpublished = commit(&pool, &[event(project, "a", 1)]).await[0];
    let unknown = EventId::from_uuid(Uuid::now_v7());
    let log = PublishedLog::new(pool.clone());

    for (what, id) in [("unknown", unknown), ("foreign", foreign), ("unpublished", unpublished)] {
        assert_eq!(log.position_of(project, id).await.expect("a look"), None, "{what}");
        assert_eq!(log.find(project, id).await.expect("a look"), None, "{what}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_project_without_events_stands_before_its_first(pool: PgPool) {
    let head = PublishedLog::new(pool.clone()).head(new_project()).await.expect("the head");

    assert_eq!(head.last, Position::START);
    assert_eq!(head.oldest, Position::START.next());
}

fn time(second: u32) -> Timestamp {
    format!("2026-11-20T20:00:{second:02}Z").parse().expect("a time")
}

/// Events that occurred at these seconds, published in this order, and one that never was.
async fn occurred_at(pool: &PgPool, project: ProjectId, seconds: &[u32]) {
    for (second, version) in seconds.iter().zip(1..) {
        let mut new = event(project, "a", version);
        new.occurred_at = Some(time(*second));
        commit(pool, &[new]).await;
        publish(pool).await;
    }
    let mut unpublished = event(project, "unpublished", 1);
    unpublished.occurred_at = Some(time(59));
    commit(pool, &[unpublished]).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reader_from_a_time_gets_what_occurred_after_it(pool: PgPool) {
    let project = new_project();
    occurred_at(&pool, project, &[10, 20, 30]).await;
    let log = PublishedLog::new(pool.clone());

    for (second, before) in [(0, 0), (10, 1), (15, 1), (29, 2), (30, 3), (40, 3)] {
        let found = log.position_before(project, time(second)).await.expect("a look");
        assert_eq!(found.get(), before, "second {second}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reader_from_a_time_misses_none_that_was_published_out_of_order(pool: PgPool) {
    let project = new_project();
    occurred_at(&pool, project, &[10, 40, 20, 30]).await;
    let found = PublishedLog::new(pool.clone()).position_before(project, time(25)).await.expect("a look");

    assert_eq!(found.get(), 1, "the one of second 40 lies behind it, and so the one of second 20 comes too");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_reader_from_a_time_of_a_silent_project_stands_at_its_head(pool: PgPool) {
    let found =
        PublishedLog::new(pool.clone()).position_before(new_project(), time(0)).await.expect("a look");

    assert_eq!(found, Position::START);
}

/// Inserts a row as another program would, with this column's value.
async fn insert_foreign(pool: &PgPool, project: ProjectId, column: &str, value: &str) {
    let sql = format!(
        "insert into domain_events (event_id, project_id, event_type, aggregate_type, aggregate_id, aggregate_version,
                                    occurred_at {payload}, {column})
         values (gen_random_uuid(), '{project}', 'a.b', 'A', 'foreign', 1, now() {null}, {value})",
        payload = if column == "payload" { "" } else { ", payload" },
        null = if column == "payload" { "" } else { ", 'null'" },
        project = project.uuid(),
    );
    sqlx::query(sqlx::AssertSqlSafe(sql)).execute(pool).await.expect("inserted");
}

async fn is_set_aside(pool: &PgPool, column: &str, value: &str) {
    let project = new_project();
    let before = commit(pool, &[event(project, "a", 1)]).await;
    insert_foreign(pool, project, column, value).await;
    let after = commit(pool, &[event(project, "a", 2)]).await;
    assert_eq!(publish(pool).await, 3);

    let published = published(pool, project).await;
    assert_eq!(positions(&published), [1, 2, 3]);
    assert_eq!([ids(&published)[0], ids(&published)[2]], [before[0], after[0]], "the rest flow");
    let aside = &published[1];
    assert_eq!(aside.envelope.event_type.as_str(), "system.unreadable");
    assert_eq!(
        aside.envelope.payload,
        serde_json::json!({ "column": column }),
        "nothing of the content is shown"
    );
    assert!(Permission::BUILT_IN.iter().all(|permission| aside.routing.permissions.contains(permission)));
    assert_eq!(aside.routing.project_id, project);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_row_with_a_bad_permission_is_set_aside(pool: PgPool) {
    is_set_aside(&pool, "permissions", "'{\"no permission\"}'").await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_row_with_a_null_among_its_audience_is_set_aside(pool: PgPool) {
    is_set_aside(&pool, "audience", "'{NULL}'").await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_row_with_channels_of_two_dimensions_is_set_aside(pool: PgPool) {
    is_set_aside(&pool, "channels", "'{{a},{b}}'").await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_row_with_metadata_of_another_shape_is_set_aside(pool: PgPool) {
    is_set_aside(&pool, "metadata", "'[7]'").await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_row_with_a_number_that_no_float_holds_is_set_aside(pool: PgPool) {
    is_set_aside(&pool, "payload", "'{\"n\": 1e400}'").await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_row_nested_too_deeply_is_set_aside(pool: PgPool) {
    is_set_aside(&pool, "payload", "(repeat('[', 1000) || repeat(']', 1000))::jsonb").await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_time_that_the_program_cannot_hold_is_refused_by_the_database(pool: PgPool) {
    for time in ["infinity", "-infinity", "12026-01-01", "4713-01-01 BC"] {
        let error = sqlx::query(
            "insert into domain_events (event_id, project_id, event_type, aggregate_type, aggregate_id,
                                        aggregate_version, payload, occurred_at)
             values (gen_random_uuid(), gen_random_uuid(), 'a.b', 'A', 'a', 1, 'null', $1::text::timestamptz)",
        )
        .bind(time)
        .execute(&pool)
        .await
        .expect_err(time);
        let constraint = error.as_database_error().and_then(|error| error.constraint());
        assert_eq!(constraint, Some("domain_events_occurred_at_range"), "{time}: {error}");
    }
}
