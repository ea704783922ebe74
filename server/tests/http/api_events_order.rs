//! Commits that overtake each other: nothing is skipped, nothing rolled back is told.

use serde_json::json;
use sqlx::PgPool;
use tidewatch_events::{AggregateType, EventId, EventType, Metadata, NewEvent, Routing};
use tidewatch_outbox::record;

use crate::support::{TestServer, eventually};

fn log_line(server: &TestServer, text: &str) -> NewEvent {
    NewEvent {
        event_type: EventType::from_static("log.added"),
        aggregate_type: AggregateType::LOG,
        aggregate_id: text.to_owned(),
        aggregate_version: 1,
        occurred_at: None,
        payload: json!({ "message": text }),
        metadata: Metadata::default(),
        routing: Routing::in_project(server.project),
    }
}

async fn commit(server: &TestServer, text: &str) -> EventId {
    let mut transaction = server.pool.begin().await.expect("a transaction");
    let id = record(&mut transaction, log_line(server, text)).await.expect("recorded");
    transaction.commit().await.expect("committed");
    id
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_late_commit_reaches_live_readers_and_those_who_resume_from_a_later_event(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut live = server.client.stream("").await;

    let mut slow = pool.begin().await.expect("a transaction");
    let late = record(&mut slow, log_line(&server, "began first")).await.expect("recorded");
    let mut doomed = pool.begin().await.expect("a transaction");
    let never = record(&mut doomed, log_line(&server, "rolled back")).await.expect("recorded");
    let early = commit(&server, "began later").await;

    // The later transaction is delivered while the earlier one is still open.
    assert_eq!(live.next().await.id, Some(early.to_string()));
    assert!(late < early, "it has the smaller id, and began before");
    slow.commit().await.expect("committed");
    doomed.rollback().await.expect("rolled back");

    assert_eq!(live.next().await.id, Some(late.to_string()), "live");
    let mut resumed = server.client.stream(&format!("?after={early}")).await;
    assert_eq!(resumed.next().await.id, Some(late.to_string()), "resumed from the later one");
    let page = server.client.json(&format!("/api/v1/events?after={early}")).await;
    assert_eq!(page["events"][0]["eventId"], late.to_string(), "paged from the later one");

    // One more event, and everybody saw all there is: the rolled-back one is not among it.
    let last = commit(&server, "last").await;
    assert_eq!(live.next().await.id, Some(last.to_string()));
    assert_eq!(resumed.next().await.id, Some(last.to_string()));
    let all = eventually("all events", async || {
        let page = server.client.json("/api/v1/events?after=earliest").await;
        (page["position"] == 3).then_some(page)
    })
    .await;
    assert!(!all.to_string().contains(&never.to_string()));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn two_servers_on_one_database_serve_the_same_stream(pool: PgPool) {
    let first = TestServer::start(&pool).await;
    let second = TestServer::start(&pool).await;
    let mut here = first.client.stream("").await;
    let mut there = second.client.stream("").await;
    for number in 0..10 {
        let client = if number % 2 == 0 { &first.client } else { &second.client };
        client.create(&format!("INV-{number}")).await;
    }
    assert_eq!(here.positions(10).await, (1..=10).collect::<Vec<_>>());
    assert_eq!(there.positions(10).await, (1..=10).collect::<Vec<_>>());
    // Whoever led, the other one goes on alone.
    first.stop().await;
    second.client.create("after the hand-over").await;
    assert_eq!(there.positions(1).await, [11]);
    second.stop().await;
}
