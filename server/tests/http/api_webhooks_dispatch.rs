//! The dispatcher: no event is lost and none is taken twice, whenever it is killed and however many there are.

use serde_json::json;
use sqlx::{PgConnection, PgPool};
use tidewatch_events::access::Permission;
use tidewatch_events::event::{NewEvent, Routing};
use tidewatch_events::{AggregateType, EventType, Metadata, Position, ProjectId};
use tidewatch_outbox::{PublishedLog, publish_pending, record_all};
use tidewatch_server::db;
use tidewatch_server::db::cursors::WEBHOOKS;
use tidewatch_server::db::webhooks::endpoints::{self, EndpointColumns};
use tidewatch_server::traces::Traces;
use tidewatch_server::walker::step;
use tidewatch_server::webhooks::dispatcher::Dispatch;

use crate::webhook_receiver::{Receiver, make_at, start};

async fn publish(connection: &mut PgConnection, project: ProjectId, first: i64, count: i64) {
    let events: Vec<NewEvent> = (first..first + count)
        .map(|version| NewEvent {
            event_type: EventType::from_static("parcel.packed"),
            aggregate_type: AggregateType::from_static("Parcel"),
            aggregate_id: "p_1".to_owned(),
            aggregate_version: version,
            occurred_at: None,
            payload: json!(version),
            metadata: Metadata::default(),
            routing: Routing::in_project(project),
        })
        .collect();
    record_all(connection, &events).await.expect("recorded");
    assert_eq!(publish_pending(connection, 5_000).await.expect("published"), count.unsigned_abs());
}

async fn endpoint(connection: &mut PgConnection, project: ProjectId, after: u64) {
    let permissions = [Permission::SETTLEMENTS_READ.to_string()];
    let columns = EndpointColumns {
        url: "https://example.com/",
        description: "",
        types: &["parcel.*".to_owned()],
        permissions: &permissions,
    };
    let after = Position::new(after).expect("a position");
    WEBHOOKS.ensure(connection, project, after).await.expect("a cursor");
    endpoints::insert(connection, project, &columns, after, "a test").await.expect("an endpoint");
}

/// Events that are on their way and their jobs, and where the cursor is.
async fn state(pool: &PgPool) -> (i64, i64, i64) {
    sqlx::query_as(
        "select (select count(distinct (endpoint_id, event_id)) from webhook_deliveries),
                (select count(*) from jobs j join webhook_deliveries d on j.unique_key = 'whd_' || crockford(d.id)
                 where j.kind = 'webhook.deliver' and j.queue = 'webhooks'),
                coalesce((select position from webhook_cursors), -1)",
    )
    .fetch_one(pool)
    .await
    .expect("counts")
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn deliveries_jobs_and_cursor_are_there_together_or_not_at_all(pool: PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    let project = db::projects::ensure(&mut connection, "demo", "Demo").await.expect("a project");
    let log = PublishedLog::new(pool.clone());
    let dispatch = Dispatch { traces: Traces::default() };
    publish(&mut connection, project, 1, 5).await;
    endpoint(&mut connection, project, 2).await;
    endpoint(&mut connection, project, 4).await;
    // Killed before the commit, twice.
    for _ in 0..2 {
        let mut transaction = pool.begin().await.expect("a transaction");
        let done = step(&dispatch, &mut transaction, &log, project).await.expect("dispatched");
        assert_eq!((done.events, done.made), (3, 4), "of 3, 4 and 5 the second endpoint asks for 5 alone");
        // Dropped, it would be rolled back at some later moment, and its lock would make the next step pass by.
        transaction.rollback().await.expect("rolled back");
        assert_eq!(state(&pool).await, (0, 0, 2));
    }
    // Killed right behind it: whoever comes next goes on from there.
    let once = async || {
        let mut transaction = pool.begin().await.expect("a transaction");
        let done = step(&dispatch, &mut transaction, &log, project).await.expect("dispatched");
        transaction.commit().await.expect("committed");
        done.made
    };
    assert_eq!(once().await, 4);
    assert_eq!(state(&pool).await, (4, 4, 5));
    assert_eq!(once().await, 0);
    assert_eq!(state(&pool).await, (4, 4, 5));
    // Even a cursor that was put back doubles nothing.
    sqlx::query("update webhook_cursors set position = 0").execute(&pool).await.expect("put back");
    assert_eq!(once().await, 0);
    assert_eq!(state(&pool).await, (4, 4, 5));
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn one_at_a_time_goes_on_and_the_others_pass_by(pool: PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    let project = db::projects::ensure(&mut connection, "demo", "Demo").await.expect("a project");
    let log = PublishedLog::new(pool.clone());
    let dispatch = Dispatch { traces: Traces::default() };
    endpoint(&mut connection, project, 0).await;
    publish(&mut connection, project, 1, 450).await;
    let mut first = pool.begin().await.expect("a transaction");
    assert_eq!(
        step(&dispatch, &mut first, &log, project).await.expect("dispatched").events,
        200,
        "a step has an end"
    );
    let mut second = pool.begin().await.expect("a transaction");
    assert_eq!(step(&dispatch, &mut second, &log, project).await.expect("passed by").events, 0);
    first.commit().await.expect("committed");
    assert_eq!(step(&dispatch, &mut second, &log, project).await.expect("dispatched").events, 200);
    second.commit().await.expect("committed");
    assert_eq!(state(&pool).await, (400, 400, 400));
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn two_instances_send_each_event_once(pool: PgPool) {
    let (one, two) = (start(&pool).await, start(&pool).await);
    let receiver = Receiver::start().await;
    let made = make_at(&one.client, &receiver).await;
    for n in 0..50 {
        one.client.publish(json!({ "channelName": "orders", "payload": n })).await;
    }
    let received = receiver.wait_for(50).await;
    let mut payloads: Vec<u64> =
        received.iter().map(|each| each.json()["data"]["payload"].as_u64().expect("a number")).collect();
    payloads.sort_unstable();
    assert_eq!(payloads, (0..50).collect::<Vec<u64>>());
    assert_eq!(crate::webhook_receiver::deliveries(&two.client, &made).await.len(), 50);
    one.stop().await;
    two.stop().await;
}
