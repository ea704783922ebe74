//! `/api/v1/subscriptions`: what is not acknowledged comes again.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Client, TestServer, eventually, read_json};

async fn subscribe(client: &Client, body: Value) -> (u16, Value) {
    let answer = client.post("/api/v1/subscriptions").json(&body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn deliver(client: &Client, name: &str, query: &str) -> Value {
    client.json(&format!("/api/v1/subscriptions/{name}/events{query}")).await
}

fn references(delivered: &Value) -> Vec<&str> {
    let events = delivered["events"].as_array().expect("events");
    events.iter().map(|event| event["payload"]["reference"].as_str().expect("a reference")).collect()
}

async fn acknowledge(client: &Client, name: &str, event: &Value) -> (u16, Value) {
    let body = json!({ "eventId": event["eventId"] });
    let request = client.post(&format!("/api/v1/subscriptions/{name}/ack")).json(&body);
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn create(server: &TestServer, names: &[&str]) {
    for name in names {
        server.client.create(name).await;
    }
    let wanted: i64 = sqlx::query_scalar("select count(*) from domain_events")
        .fetch_one(&server.pool)
        .await
        .expect("a count");
    eventually("all to reach the hub", async || {
        let page = server.client.json("/api/v1/events").await;
        (page["position"].as_i64()? >= wanted).then_some(())
    })
    .await;
}

/// As if the visibility time were over.
async fn time_passes(server: &TestServer) {
    sqlx::query("update subscriptions set visible_again_at = now() - interval '1 second' where visible_again_at is not null")
        .execute(&server.pool)
        .await
        .expect("passed");
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_is_not_acknowledged_comes_again(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    create(&server, &["before"]).await;
    let body = json!({ "name": "billing", "filter": { "types": ["settlement.created"] } });
    let (status, made) = subscribe(&server.client, body.clone()).await;
    assert_eq!((status, &made["acknowledgedPosition"]), (201, &json!(1)), "{made}");
    create(&server, &["a", "b", "c"]).await;

    let first = deliver(&server.client, "billing", "?limit=2").await;
    assert_eq!(references(&first), ["a", "b"]);
    assert_eq!(first["hasMore"], true);
    let rest = deliver(&server.client, "billing", "").await;
    assert_eq!(references(&rest), ["c"], "what is out is not given again, what is not is");
    assert_eq!(references(&deliver(&server.client, "billing", "").await), [] as [&str; 0]);
    let (status, after) = acknowledge(&server.client, "billing", &first["events"][0]).await;
    assert_eq!((status, &after["acknowledgedPosition"]), (200, &json!(2)));
    time_passes(&server).await;
    let again = deliver(&server.client, "billing", "").await;
    assert_eq!(references(&again), ["b", "c"], "all but what is done");
    assert_eq!(acknowledge(&server.client, "billing", &again["events"][1]).await.0, 200);
    assert_eq!(acknowledge(&server.client, "billing", &again["events"][0]).await.0, 200, "a repeat");
    time_passes(&server).await;
    assert_eq!(references(&deliver(&server.client, "billing", "").await), [] as [&str; 0]);

    // It outlives the consumer, the key and the server.
    let (status, known) = subscribe(&server.client_with(&["events.read"]).await, body).await;
    assert_eq!((status, &known["acknowledgedPosition"]), (200, &json!(4)), "{known}");
    server.stop().await;
    let server = TestServer::start(&pool).await;
    create(&server, &["d"]).await;
    assert_eq!(references(&deliver(&server.client, "billing", "?wait=10").await), ["d"]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_was_not_asked_for_is_done_by_itself(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let body = json!({ "name": "payments", "filter": { "types": ["payment.*"] }, "after": "earliest" });
    assert_eq!(subscribe(&server.client, body).await.0, 201);
    create(&server, &["a", "b"]).await;
    assert_eq!(references(&deliver(&server.client, "payments", "").await), [] as [&str; 0]);
    let state = server.client.json("/api/v1/subscriptions/payments").await;
    assert_eq!(state["acknowledgedPosition"], 2, "a narrow filter does not fall out of what is kept");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_delivery_waits_for_the_first_event(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    assert_eq!(subscribe(&server.client, json!({ "name": "w" })).await.0, 201);
    let client = server.client.clone();
    let waiting = tokio::spawn(async move { deliver(&client, "w", "?wait=30").await });
    server.client.json("/api/v1/subscriptions").await;
    server.client.create("late").await;
    let delivered = waiting.await.expect("no panic");
    assert_eq!(references(&delivered), ["late"]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn bad_requests_and_other_people_s_subscriptions_are_refused(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    assert_eq!(subscribe(&server.client, json!({ "name": "mine" })).await.0, 201);
    for (body, status, pointer) in [
        (json!({ "name": "Bad Name" }), 422, "#/name"),
        (json!({ "name": "x", "filter": { "types": ["Not A Type"] } }), 422, "#/filter/types"),
        (json!({ "name": "x", "visibilitySeconds": 0 }), 422, "#/visibilitySeconds"),
        (json!({ "name": "x", "after": "nonsense" }), 422, "#/after"),
        (json!({ "name": "x", "filter": { "colour": "red" } }), 422, "#/filter/colour"),
    ] {
        let (got, problem) = subscribe(&server.client, body).await;
        assert_eq!((got, &problem["errors"][0]["pointer"]), (status, &json!(pointer)), "{problem}");
    }
    let other = json!({ "name": "mine", "filter": { "types": ["payment.*"] } });
    assert_eq!(subscribe(&server.client, other).await.0, 409, "another filter under the same name");
    create(&server, &["a"]).await;
    let page = server.client.json("/api/v1/events?after=earliest").await;
    assert_eq!(acknowledge(&server.client, "mine", &page["events"][0]).await.0, 409, "not delivered yet");
    assert_eq!(acknowledge(&server.client, "nowhere", &page["events"][0]).await.0, 404);
    let unknown = json!({ "eventId": "evt_01h455vb4pex5vsknk084sn02q" });
    assert_eq!(acknowledge(&server.client, "mine", &unknown).await.0, 422);

    let ann = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;
    let ann = server.session_of(ann).await;
    assert_eq!(ann.status("/api/v1/subscriptions/mine").await, 404);
    assert_eq!(ann.json("/api/v1/subscriptions").await["subscriptions"], json!([]));
    let stranger = server.client_of(server.add_project("other").await, &["*"]).await;
    assert_eq!(stranger.status("/api/v1/subscriptions/mine/events").await, 404);
    let narrow = server.client_with(&["settlements.read"]).await;
    let answer = narrow.get("/api/v1/subscriptions").send().await.expect("an answer");
    read_json(answer, StatusCode::FORBIDDEN).await;
    let gone = server.client.delete("/api/v1/subscriptions/mine").send().await.expect("an answer");
    assert_eq!(gone.status(), StatusCode::NO_CONTENT);
    assert_eq!(server.client.status("/api/v1/subscriptions/mine").await, 404);
    server.stop().await;
}
