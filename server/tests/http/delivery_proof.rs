//! Delivery proof: of any event it can be told to whom it was given, and who has acknowledged it.

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Client, TestServer, eventually};

const OPEN: &str = "?types=settlement.*";

async fn proof(client: &Client, event: &str) -> Value {
    client.json(&format!("/api/v1/events/{event}/deliveries")).await
}

/// The events so far, oldest first, once there are so many.
async fn events(server: &TestServer, count: usize) -> Vec<String> {
    eventually("the events to be published", async || {
        let ids: Vec<String> = sqlx::query_scalar(
            "select 'evt_' || crockford(event_id) from domain_events where position is not null order by position",
        )
        .fetch_all(&server.pool)
        .await
        .expect("ids");
        (ids.len() >= count).then_some(ids)
    })
    .await
}

fn names(proof: &Value) -> Vec<&str> {
    proof["readers"]
        .as_array()
        .expect("readers")
        .iter()
        .filter_map(|reader| reader["via"][0].as_str())
        .collect()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn tells_who_was_given_what_and_when(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut live = server.client.stream(OPEN).await;
    let deaf = server.client_with(&["events.read"]).await.stream("?types=order.*").await;
    server.client.create("a").await;
    assert_eq!(live.positions(1).await, [1]);
    let first = events(&server, 1).await.remove(0);

    let told = proof(&server.client, &first).await;
    assert_eq!(told["position"], 1);
    assert_eq!(names(&told), ["sse"], "only who asked for it: {told}");
    assert_eq!(told["readers"][0]["live"], true);
    assert!(told["committedAt"].as_str() <= told["publishedAt"].as_str(), "{told}");
    assert!(told["publishedAt"].as_str() <= told["readers"][0]["givenAt"].as_str(), "{told}");

    // Who comes later is given it then, and is told apart.
    let late = server.client_with(&["events.read"]).await;
    let mut replayed = late.stream(&format!("{OPEN}&after=earliest")).await;
    assert_eq!(replayed.positions(1).await, [1]);
    let told = proof(&server.client, &first).await;
    let readers = told["readers"].as_array().expect("readers");
    assert_eq!(readers.len(), 2, "{told}");
    assert_eq!((&readers[0]["live"], &readers[1]["live"]), (&json!(true), &json!(false)));
    assert!(readers[1]["givenAt"].as_str() > told["publishedAt"].as_str(), "{told}");

    // It stays told when they have left.
    drop((live, replayed));
    server.client.create("b").await;
    let second = events(&server, 2).await.remove(1);
    eventually("both to be gone", async || {
        let listed = server.client.json("/api/v1/connections").await;
        (listed["connections"].as_array()?.len() == 1).then_some(())
    })
    .await;
    assert_eq!(proof(&server.client, &first).await["readers"].as_array().map(Vec::len), Some(2));
    assert_eq!(proof(&server.client, &second).await["readers"], json!([]), "nobody was there");
    drop(deaf);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn pages_and_acknowledgements_are_told(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let consumer = server.client_with(&["events.read"]).await;
    let body = json!({ "name": "billing", "filter": { "types": ["settlement.created"] } });
    let answer = consumer.post("/api/v1/subscriptions").json(&body).send().await.expect("an answer");
    assert_eq!(answer.status(), 201);
    server.client.create("a").await;
    server.client.create("b").await;
    let ids = events(&server, 2).await;

    let delivered = eventually("the delivery", async || {
        let delivered = consumer.json("/api/v1/subscriptions/billing/events?limit=1").await;
        (delivered["events"].as_array()?.len() == 1).then_some(delivered)
    })
    .await;
    let told = proof(&server.client, &ids[0]).await;
    assert_eq!(names(&told), ["poll"], "{told}");
    assert_eq!(told["acknowledgements"], json!([]), "not yet");

    let ack = json!({ "eventId": delivered["events"][0]["eventId"] });
    let request = consumer.post("/api/v1/subscriptions/billing/ack").json(&ack);
    assert_eq!(request.send().await.expect("an answer").status(), 200);
    let told = proof(&server.client, &ids[0]).await;
    assert_eq!(told["acknowledgements"][0]["subscription"], "billing", "{told}");
    assert!(told["acknowledgements"][0]["acknowledgedAt"].as_str() >= told["publishedAt"].as_str());
    assert_eq!(proof(&server.client, &ids[1]).await["acknowledgements"], json!([]), "that one is not done");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn names_of_readers_are_for_staff(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    server.client.create("a").await;
    let event = events(&server, 1).await.remove(0);
    let path = format!("/api/v1/events/{event}/deliveries");
    assert_eq!(server.client_with(&["events.read"]).await.status(&path).await, 200);
    assert_eq!(server.client_with(&["events.publish"]).await.status(&path).await, 403);
    let organization = server.add_organization(server.project, "Acme").await;
    for (role, status) in [("viewer", 200), ("ops", 403), ("landlord", 403)] {
        let person = server
            .add_person(server.project, &format!("{role}@example.test"), &[role], &[organization])
            .await;
        assert_eq!(server.session_of(person).await.status(&path).await, status, "{role}");
    }
    let other = server.add_project("other").await;
    let foreign = server.client_of(other, &["*"]).await;
    assert_eq!(foreign.status(&path).await, 404, "another project's event is not there");
    assert_eq!(server.client.status("/api/v1/events/evt_nonsense/deliveries").await, 404);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn proof_goes_with_the_events_that_it_is_of(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut live = server.client.stream(OPEN).await;
    server.client.create("a").await;
    live.positions(1).await;
    drop(live);
    let spans = async || {
        let count: i64 = sqlx::query_scalar("select count(*) from delivery_spans")
            .fetch_one(&server.pool)
            .await
            .expect("a count");
        count
    };
    eventually("the span to be written", async || (spans().await == 1).then_some(())).await;
    assert_eq!(tidewatch_server::db::deliveries::delete_expired(&server.pool).await.expect("done"), 0);
    // As retention does when the last partition of it goes.
    sqlx::query("update project_streams set oldest_position = last_position + 1")
        .execute(&server.pool)
        .await
        .expect("moved");
    assert_eq!(tidewatch_server::db::deliveries::delete_expired(&server.pool).await.expect("done"), 1);
    assert_eq!(spans().await, 0);
    server.stop().await;
}
