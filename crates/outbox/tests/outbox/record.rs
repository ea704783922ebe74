//! Recording: in the caller's transaction, all or none.

use std::sync::Arc;

use serde_json::{Value, json};
use sqlx::{Connection, PgPool};
use tidewatch_events::access::Actor;
use tidewatch_events::event::MAX_PAYLOAD_BYTES;
use tidewatch_events::id::{ApiKeyId, OrganizationId, UserId};
use tidewatch_events::{
    AggregateType, Channel, EventId, EventType, Metadata, NewEvent, Permission, Priority, SubjectRef,
    Timestamp,
};
use tidewatch_outbox::{Outbox, RecordError, Waker, record, record_all};
use tokio::sync::Barrier;
use uuid::Uuid;

use crate::fixture::{
    backend_pid, commit, connect, event, events, ids, new_project, positions, publish, published,
    until_blocked, versions,
};

#[sqlx::test(migrations = "../../migrations")]
async fn a_rollback_publishes_nothing(pool: PgPool) {
    let project = new_project();
    let mut transaction = pool.begin().await.expect("a transaction");
    record(&mut transaction, event(project, "a", 1)).await.expect("recorded");
    transaction.rollback().await.expect("rolled back");

    assert_eq!(publish(&pool).await, 0);
    assert_eq!(published(&pool, project).await, []);
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_dropped_transaction_publishes_nothing(pool: PgPool) {
    let project = new_project();
    let mut transaction =
        Outbox::new(pool.clone(), Waker::default()).begin(project).await.expect("a transaction");
    transaction.record(event(project, "a", 1)).await.expect("recorded");
    drop(transaction);

    assert_eq!(publish(&pool).await, 0);
    // The version is free again.
    commit(&pool, &[event(project, "a", 1)]).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_commit_publishes_once(pool: PgPool) {
    let project = new_project();
    let recorded = commit(&pool, &[event(project, "a", 1)]).await;

    assert_eq!(publish(&pool).await, 1);
    assert_eq!(publish(&pool).await, 0);
    assert_eq!(ids(&published(&pool, project).await), recorded);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_not_committed_is_not_published(pool: PgPool) {
    let project = new_project();
    let mut transaction = pool.begin().await.expect("a transaction");
    record(&mut transaction, event(project, "a", 1)).await.expect("recorded");

    assert_eq!(publish(&pool).await, 0);
    transaction.commit().await.expect("committed");
    assert_eq!(publish(&pool).await, 1);
}

#[sqlx::test(migrations = "../../migrations")]
async fn what_is_not_published_is_not_read(pool: PgPool) {
    let project = new_project();
    commit(&pool, &[event(project, "a", 1)]).await;

    assert_eq!(published(&pool, project).await, []);
}

#[sqlx::test(migrations = "../../migrations")]
async fn many_events_of_one_call_get_consecutive_positions_in_order(pool: PgPool) {
    let project = new_project();
    commit(&pool, &[event(project, "before", 1)]).await;
    let many: Vec<NewEvent> =
        (0..200).map(|n| event(project, &format!("order {}", n % 7), n / 7 + 1)).collect();
    let recorded = commit(&pool, &many).await;
    publish(&pool).await;

    let published = published(&pool, project).await;
    assert_eq!(ids(&published[1..]), recorded);
    assert_eq!(positions(&published), (1..=201).collect::<Vec<_>>());
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_call_with_no_event_does_nothing(pool: PgPool) {
    assert_eq!(commit(&pool, &[]).await, []);
    assert_eq!(publish(&pool).await, 0);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_is_read_as_it_was_recorded(pool: PgPool) {
    let project = new_project();
    let occurred_at: Timestamp = "2026-11-20T20:43:52.832Z".parse().expect("a time");
    let mut new = event(project, "ord_ärger \"quoted\"", 3);
    new.event_type = EventType::from_static("acme.door.opened");
    new.aggregate_type = AggregateType::from_static("Door");
    new.occurred_at = Some(occurred_at);
    new.payload = json!({ "text": "{\"}\\ \u{1F30A}", "list": [1, 2.5, null, true], "max": u64::MAX });
    new.metadata = Metadata {
        actor: Some(Actor::User(UserId::from_uuid(Uuid::now_v7()))),
        signed_by: Some(Actor::Key(ApiKeyId::from_uuid(Uuid::now_v7()))),
        correlation_id: Some("c-1".to_owned()),
        causation_id: Some(EventId::from_uuid(Uuid::now_v7())),
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()),
    };
    new.routing.permissions = [Permission::ORDERS_READ, Permission::EVENTS_READ].into();
    new.routing.audience = [
        SubjectRef::Organization(OrganizationId::from_uuid(Uuid::now_v7())),
        SubjectRef::Role("ops".to_owned()),
    ]
    .into();
    new.routing = new.routing.on_channel("private-orders:1/eu".parse().expect("a channel"));
    new.routing.priority = Priority::High;
    let recorded = commit(&pool, &[new.clone()]).await;
    publish(&pool).await;

    let published = published(&pool, project).await;
    let [read] = published.as_slice() else { panic!("one event: {published:?}") };
    assert_eq!(read.routing, new.routing);
    let envelope = &read.envelope;
    assert_eq!(vec![envelope.event_id], recorded);
    assert_eq!(envelope.event_type, new.event_type);
    assert_eq!(envelope.aggregate_type, new.aggregate_type);
    assert_eq!(envelope.aggregate_id, new.aggregate_id);
    assert_eq!(envelope.aggregate_version, 3);
    assert_eq!(envelope.occurred_at, occurred_at);
    assert_eq!(envelope.payload, new.payload);
    assert_eq!(envelope.metadata, new.metadata);
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_event_on_a_private_channel_is_recorded_for_that_channel_alone_or_not_at_all(pool: PgPool) {
    let channel: Channel = "private-a".parse().expect("a channel");
    let mut new = event(new_project(), "a", 1);
    new.routing.channels = [channel.clone()].into();
    let mut transaction = pool.begin().await.expect("a transaction");
    let refused = record(&mut transaction, new.clone()).await;
    assert!(matches!(refused, Err(RecordError::Invalid(_))), "{refused:?}");
    new.routing.audience = [SubjectRef::Role("ops".to_owned())].into();
    assert!(record(&mut transaction, new.clone()).await.is_err(), "an audience that leaves the channel out");
    new.routing.audience = [SubjectRef::Channel(channel)].into();
    record(&mut transaction, new).await.expect("recorded");
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_version_that_is_recorded_already_is_refused(pool: PgPool) {
    let project = new_project();
    commit(&pool, &[event(project, "a", 1)]).await;
    let mut transaction = pool.begin().await.expect("a transaction");
    let error = record(&mut transaction, event(project, "a", 1)).await.expect_err("taken");

    assert!(
        matches!(&error, RecordError::VersionTaken { aggregate_id, version: 1 } if aggregate_id == "a"),
        "{error:?}"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_version_that_is_published_already_is_refused(pool: PgPool) {
    let project = new_project();
    commit(&pool, &[event(project, "a", 1)]).await;
    publish(&pool).await;
    let mut transaction = pool.begin().await.expect("a transaction");
    let error = record(&mut transaction, event(project, "a", 1)).await.expect_err("taken");

    assert!(matches!(error, RecordError::VersionTaken { .. }), "{error:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn one_taken_version_refuses_the_whole_call(pool: PgPool) {
    let project = new_project();
    commit(&pool, &[event(project, "a", 2)]).await;
    let mut transaction = pool.begin().await.expect("a transaction");
    let error = record_all(&mut transaction, &events(project, "a", 1..=3)).await.expect_err("taken");
    drop(transaction);

    assert!(matches!(error, RecordError::VersionTaken { .. }), "{error:?}");
    publish(&pool).await;
    assert_eq!(versions(&published(&pool, project).await), [("a", 2)]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn versions_are_counted_per_project_and_type(pool: PgPool) {
    let (one, other) = (new_project(), new_project());
    let mut door = event(one, "a", 1);
    door.aggregate_type = AggregateType::from_static("Door");
    commit(&pool, &[event(one, "a", 1), event(other, "a", 1), door]).await;

    assert_eq!(publish(&pool).await, 3);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_second_writer_of_a_version_waits_and_is_refused_when_the_first_commits(pool: PgPool) {
    let project = new_project();
    let mut first = pool.begin().await.expect("a transaction");
    record(&mut first, event(project, "a", 1)).await.expect("recorded");

    let mut connection = connect(&pool).await;
    let second_pid = backend_pid(&mut connection).await;
    let second = tokio::spawn(async move {
        let mut second = connection.begin().await.expect("a transaction");
        record(&mut second, event(project, "a", 1)).await
    });
    until_blocked(&pool, second_pid).await;
    first.commit().await.expect("committed");

    let error = second.await.expect("no panic").expect_err("taken");
    assert!(matches!(error, RecordError::VersionTaken { version: 1, .. }), "{error:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_second_writer_of_a_version_passes_when_the_first_rolls_back(pool: PgPool) {
    let project = new_project();
    let mut first = pool.begin().await.expect("a transaction");
    record(&mut first, event(project, "a", 1)).await.expect("recorded");

    let mut connection = connect(&pool).await;
    let second_pid = backend_pid(&mut connection).await;
    let second = tokio::spawn(async move {
        let mut second = connection.begin().await.expect("a transaction");
        let id = record(&mut second, event(project, "a", 1)).await.expect("passes");
        second.commit().await.expect("committed");
        id
    });
    until_blocked(&pool, second_pid).await;
    first.rollback().await.expect("rolled back");

    let id = second.await.expect("no panic");
    publish(&pool).await;
    assert_eq!(ids(&published(&pool, project).await), [id]);
}

#[sqlx::test(migrations = "../../migrations")]
async fn of_many_writers_of_one_version_one_wins(pool: PgPool) {
    const WRITERS: usize = 4;
    let project = new_project();
    let start = Arc::new(Barrier::new(WRITERS));
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (pool, start) = (pool.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                let mut transaction = pool.begin().await.expect("a transaction");
                start.wait().await;
                record(&mut transaction, event(project, "a", 1)).await?;
                transaction.commit().await.map_err(RecordError::Database)
            })
        })
        .collect();
    let mut won = 0;
    for writer in writers {
        match writer.await.expect("no panic") {
            Ok(()) => won += 1,
            Err(error) => assert!(matches!(error, RecordError::VersionTaken { .. }), "{error:?}"),
        }
    }

    assert_eq!(won, 1);
    assert_eq!(publish(&pool).await, 1);
}

/// Records the event behind a good one, and expects that the call writes nothing and spares the
/// transaction.
async fn refused(pool: &PgPool, bad: NewEvent) -> RecordError {
    let project = bad.routing.project_id;
    let mut transaction = pool.begin().await.expect("a transaction");
    let error = record_all(&mut transaction, &[event(project, "good", 1), bad]).await.expect_err("refused");
    transaction.commit().await.expect("the transaction is none the worse");
    assert_eq!(publish(pool).await, 0, "nothing was written");
    error
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_payload_too_large_is_refused(pool: PgPool) {
    let mut bad = event(new_project(), "a", 1);
    // Two quotes are part of the JSON.
    bad.payload = Value::String("x".repeat(MAX_PAYLOAD_BYTES - 1));
    let error = refused(&pool, bad).await;

    assert!(
        matches!(&error, RecordError::PayloadTooLarge { bytes, .. } if *bytes == MAX_PAYLOAD_BYTES + 1),
        "{error:?}"
    );
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_largest_payload_passes_whatever_its_form(pool: PgPool) {
    let project = new_project();
    let text = Value::String("x".repeat(MAX_PAYLOAD_BYTES - 2));
    // The form that grows most as jsonb, and the one that grows most as Postgres writes it.
    let digits = Value::from(vec![1; (MAX_PAYLOAD_BYTES - 2) / 2]);
    let exponents = Value::from(vec![1e99; (MAX_PAYLOAD_BYTES - 2) / 6]);
    for (payload, aggregate) in [(text, "text"), (digits, "digits"), (exponents, "exponents")] {
        let mut large = event(project, aggregate, 1);
        large.payload = payload;
        let size = large.payload.to_string().len();
        assert!((MAX_PAYLOAD_BYTES - 8..=MAX_PAYLOAD_BYTES).contains(&size), "{aggregate} has {size} bytes");
        commit(&pool, &[large]).await;
    }

    assert_eq!(publish(&pool).await, 3);
    assert_eq!(published(&pool, project).await.len(), 3);
}

#[sqlx::test(migrations = "../../migrations")]
async fn the_database_refuses_a_payload_too_large_by_itself(pool: PgPool) {
    let error = sqlx::query(
        "insert into domain_events (event_id, project_id, event_type, aggregate_type, aggregate_id,
                                    aggregate_version, occurred_at, payload)
         values (gen_random_uuid(), gen_random_uuid(), 'a.b', 'A', 'a', 1, now(), to_jsonb(repeat('x', 3000000)))",
    )
    .execute(&pool)
    .await
    .expect_err("refused");

    let constraint = error.as_database_error().and_then(|error| error.constraint());
    assert_eq!(constraint, Some("domain_events_payload_size"));
}

#[sqlx::test(migrations = "../../migrations")]
async fn nul_in_a_payload_is_refused(pool: PgPool) {
    for payload in [json!({ "a": ["b\0"] }), json!({ "a\0": 1 }), json!("\0")] {
        let mut bad = event(new_project(), "a", 1);
        bad.payload = payload;
        let error = refused(&pool, bad).await;
        assert!(matches!(error, RecordError::Nul { part: "payload", .. }), "{error:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn nul_in_metadata_is_refused(pool: PgPool) {
    let bad = event(new_project(), "a", 1)
        .with_metadata(Metadata { correlation_id: Some("\0".to_owned()), ..Metadata::default() });
    let error = refused(&pool, bad).await;

    assert!(matches!(error, RecordError::Nul { part: "metadata", .. }), "{error:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn nul_in_an_aggregate_id_is_refused(pool: PgPool) {
    let error = refused(&pool, event(new_project(), "a\0", 1)).await;

    assert!(matches!(error, RecordError::Nul { part: "aggregate id", .. }), "{error:?}");
}

#[sqlx::test(migrations = "../../migrations")]
async fn an_aggregate_id_has_1_to_200_characters(pool: PgPool) {
    let project = new_project();
    for bad in [String::new(), "ä".repeat(201)] {
        let error = refused(&pool, event(project, &bad, 1)).await;
        assert!(matches!(error, RecordError::Invalid(_)), "{error:?}");
    }
    commit(&pool, &[event(project, &"ä".repeat(200), 1)]).await;
}

#[sqlx::test(migrations = "../../migrations")]
async fn a_version_below_1_is_refused(pool: PgPool) {
    for version in [0, -1, i64::MIN] {
        let error = refused(&pool, event(new_project(), "a", version)).await;
        assert!(matches!(error, RecordError::Invalid(_)), "{error:?}");
    }
}

#[sqlx::test(migrations = "../../migrations")]
async fn line_ends_in_a_payload_pass(pool: PgPool) {
    let project = new_project();
    let mut new = event(project, "a\r\nb", 1);
    new.payload = json!({ "text": "data: forged\r\n\r\nid: 7\n\u{2028}" });
    commit(&pool, &[new.clone()]).await;
    publish(&pool).await;

    let published = published(&pool, project).await;
    assert_eq!(published[0].envelope.payload, new.payload);
    assert_eq!(published[0].envelope.aggregate_id, "a\r\nb");
}

/// The example of the README.
#[sqlx::test(migrations = "../../migrations")]
async fn the_example_of_the_readme_works(pool: PgPool) {
    async fn rename(outbox: &Outbox, new: NewEvent) -> Result<EventId, RecordError> {
        let mut transaction = outbox.begin(new.routing.project_id).await.map_err(RecordError::Database)?;
        sqlx::query("update projects set name = $1 where id = $2")
            .bind("Quay 9")
            .bind(new.routing.project_id.uuid())
            .execute(&mut *transaction)
            .await
            .map_err(RecordError::Database)?;
        let id = transaction.record(new).await?;
        transaction.commit().await.map_err(RecordError::Database)?;
        Ok(id)
    }
    let project = new_project();
    let id =
        rename(&Outbox::new(pool.clone(), Waker::default()), event(project, "a", 1)).await.expect("renamed");
    publish(&pool).await;

    assert_eq!(ids(&published(&pool, project).await), [id]);
}
