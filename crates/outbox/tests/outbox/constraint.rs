//! A change without its event is impossible: the settlements' triggers, by the database alone.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use sqlx::{PgConnection, PgPool};
use tidewatch_events::id::SettlementId;
use tidewatch_events::{AggregateType, NewEvent, ProjectId};
use tidewatch_outbox::record;
use uuid::Uuid;

use crate::fixture::{event, new_project, publish};

async fn seed_project(pool: &PgPool) -> ProjectId {
    let project = new_project();
    sqlx::query("insert into projects (id, slug, name) values ($1, 'demo', 'Demo')")
        .bind(project.uuid())
        .execute(pool)
        .await
        .expect("a project");
    project
}

fn new_settlement() -> SettlementId {
    SettlementId::from_uuid(Uuid::now_v7())
}

fn event_of(project: ProjectId, settlement: SettlementId, version: i64) -> NewEvent {
    let mut new = event(project, &settlement.to_string(), version);
    new.aggregate_type = AggregateType::SETTLEMENT;
    new
}

async fn insert(
    connection: &mut PgConnection,
    project: ProjectId,
    settlement: SettlementId,
    version: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into settlements (id, project_id, reference, amount_minor, currency, status, version,
                                  created_at, updated_at, search)
         values ($1, $2, 'R-1', 100, 'EUR', 'created', $3, now(), now(), '')",
    )
    .bind(settlement.uuid())
    .bind(project.uuid())
    .bind(version)
    .execute(connection)
    .await
    .map(drop)
}

/// Moves the settlement on, its version up by `step`.
async fn update(
    connection: &mut PgConnection,
    settlement: SettlementId,
    step: i64,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "update settlements set status = 'failed', error = 'no funds', version = version + $2, updated_at = now()
         where id = $1",
    )
    .bind(settlement.uuid())
    .bind(step)
    .execute(connection)
    .await
    .map(drop)
}

/// A settlement of version 1, with its event.
async fn seed_settlement(pool: &PgPool) -> (ProjectId, SettlementId) {
    let (project, settlement) = (seed_project(pool).await, new_settlement());
    let mut transaction = pool.begin().await.expect("a transaction");
    insert(&mut transaction, project, settlement, 1).await.expect("inserted");
    record(&mut transaction, event_of(project, settlement, 1)).await.expect("recorded");
    transaction.commit().await.expect("committed");
    (project, settlement)
}

#[track_caller]
fn assert_refused_by(result: Result<(), sqlx::Error>, constraint: &str) {
    let error = result.expect_err("refused");
    let by = error.as_database_error().and_then(|error| error.constraint());
    assert_eq!(by, Some(constraint), "{error}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_row_and_then_its_event_pass(pool: PgPool) {
    seed_settlement(&pool).await;

    assert_eq!(publish(&pool).await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_and_then_its_row_pass(pool: PgPool) {
    let (project, settlement) = (seed_project(&pool).await, new_settlement());
    let mut transaction = pool.begin().await.expect("a transaction");
    record(&mut transaction, event_of(project, settlement, 1)).await.expect("recorded");
    insert(&mut transaction, project, settlement, 1).await.expect("inserted");

    transaction.commit().await.expect("committed");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_row_without_its_event_fails_at_the_commit(pool: PgPool) {
    let (project, settlement) = (seed_project(&pool).await, new_settlement());
    let mut transaction = pool.begin().await.expect("a transaction");
    insert(&mut transaction, project, settlement, 1).await.expect("the commit is what checks");

    assert_refused_by(transaction.commit().await, "settlements_event_of_version");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_change_with_its_event_passes_in_either_order(pool: PgPool) {
    let (project, settlement) = seed_settlement(&pool).await;
    let mut transaction = pool.begin().await.expect("a transaction");
    update(&mut transaction, settlement, 1).await.expect("updated");
    record(&mut transaction, event_of(project, settlement, 2)).await.expect("recorded");
    transaction.commit().await.expect("row first");
    let mut transaction = pool.begin().await.expect("a transaction");
    record(&mut transaction, event_of(project, settlement, 3)).await.expect("recorded");
    update(&mut transaction, settlement, 1).await.expect("updated");
    transaction.commit().await.expect("event first");

    assert_eq!(publish(&pool).await, 3);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_change_without_its_event_fails_at_the_commit(pool: PgPool) {
    let (_, settlement) = seed_settlement(&pool).await;
    let mut transaction = pool.begin().await.expect("a transaction");
    update(&mut transaction, settlement, 1).await.expect("the commit is what checks");

    assert_refused_by(transaction.commit().await, "settlements_event_of_version");
}

#[sqlx::test(migrations = "../../migrations")]
async fn each_of_two_changes_in_one_transaction_needs_its_event(pool: PgPool) {
    let (project, settlement) = seed_settlement(&pool).await;
    let mut transaction = pool.begin().await.expect("a transaction");
    update(&mut transaction, settlement, 1).await.expect("updated");
    update(&mut transaction, settlement, 1).await.expect("updated");
    record(&mut transaction, event_of(project, settlement, 3)).await.expect("recorded");

    assert_refused_by(transaction.commit().await, "settlements_event_of_version");
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_of_another_aggregate_project_type_or_version_does_not_do(pool: PgPool) {
    let (project, settlement) = seed_settlement(&pool).await;
    let mut of_type = event_of(project, settlement, 2);
    of_type.aggregate_type = AggregateType::ORDER;
    for (what, other) in [
        ("aggregate", event_of(project, new_settlement(), 2)),
        ("project", event_of(new_project(), settlement, 2)),
        ("version", event_of(project, settlement, 3)),
        ("type", of_type),
    ] {
        let mut transaction = pool.begin().await.expect("a transaction");
        update(&mut transaction, settlement, 1).await.expect("updated");
        record(&mut transaction, other).await.expect(what);
        assert_refused_by(transaction.commit().await, "settlements_event_of_version");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_commit_that_fails_publishes_nothing(pool: PgPool) {
    let (project, settlement) = seed_settlement(&pool).await;
    publish(&pool).await;
    let mut transaction = pool.begin().await.expect("a transaction");
    update(&mut transaction, settlement, 1).await.expect("updated");
    record(&mut transaction, event_of(project, new_settlement(), 1)).await.expect("recorded");
    transaction.commit().await.expect_err("refused");

    assert_eq!(publish(&pool).await, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_change_that_keeps_the_version_is_refused(pool: PgPool) {
    let (_, settlement) = seed_settlement(&pool).await;
    let mut connection = pool.acquire().await.expect("a connection");

    assert_refused_by(update(&mut connection, settlement, 0).await, "settlements_next_version");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_change_that_skips_a_version_or_goes_back_is_refused(pool: PgPool) {
    let (_, settlement) = seed_settlement(&pool).await;
    let mut connection = pool.acquire().await.expect("a connection");
    for step in [2, -1] {
        assert_refused_by(update(&mut connection, settlement, step).await, "settlements_next_version");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_new_row_begins_at_version_1(pool: PgPool) {
    let project = seed_project(&pool).await;
    let mut connection = pool.acquire().await.expect("a connection");

    assert_refused_by(
        insert(&mut connection, project, new_settlement(), 2).await,
        "settlements_next_version",
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_row_is_never_deleted(pool: PgPool) {
    let (_, settlement) = seed_settlement(&pool).await;
    let deleted =
        sqlx::query("delete from settlements where id = $1").bind(settlement.uuid()).execute(&pool).await;

    assert_refused_by(deleted.map(drop), "settlements_never_deleted");
}

#[sqlx::test(migrations = "../../migrations")]
async fn postgres_writes_ids_as_the_program_does(pool: PgPool) {
    let random = prop::collection::vec(any::<u128>(), 500).new_tree(&mut TestRunner::default()).expect("ids");
    let uuids: Vec<Uuid> = [0, 1, u128::MAX, 1 << 127, 31, 32]
        .into_iter()
        .chain(random.current())
        .map(Uuid::from_u128)
        .collect();
    let written: Vec<String> = sqlx::query_scalar(
        "select 'stl_' || crockford(id) from unnest($1::uuid[]) with ordinality as ids (id, place) order by place",
    )
    .bind(&uuids)
    .fetch_all(&pool)
    .await
    .expect("written");

    let expected: Vec<_> = uuids.into_iter().map(|uuid| SettlementId::from_uuid(uuid).to_string()).collect();
    assert_eq!(written, expected);
}
