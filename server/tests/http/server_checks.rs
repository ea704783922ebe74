//! Servers are checked by real connections; a failure is an incident until it is over.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::id::ServerId;
use tidewatch_server::db;
use tokio::net::TcpListener;

use crate::support::{Client, TestServer, eventually, read_json};

async fn watch(client: &Client, kind: &str, address: &str) -> String {
    let new = json!({ "name": "Bank", "kind": kind, "address": address, "intervalSeconds": 5 });
    let answer = client.post("/api/v1/servers").json(&new).send().await.expect("an answer");
    read_json(answer, StatusCode::CREATED).await["id"].as_str().expect("an id").to_owned()
}

async fn stands_at(client: &Client, id: &str, status: &str) -> Value {
    eventually(status, async || {
        let server = client.json(&format!("/api/v1/servers/{id}")).await;
        (server["status"] == status).then_some(server)
    })
    .await
}

async fn check(client: &Client, server: &Value) {
    let body = json!({ "move": "check", "expectedVersion": server["version"] });
    let id = server["id"].as_str().expect("an id");
    let answer =
        client.post(&format!("/api/v1/servers/{id}/moves")).json(&body).send().await.expect("an answer");
    read_json(answer, StatusCode::OK).await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_server_that_stops_answering_is_an_incident_until_it_answers_again(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let id = watch(client, "tcp", &address.to_string()).await;
    let up = stands_at(client, &id, "success").await;
    assert!(up["latencyMs"].as_i64().is_some(), "{up}");

    drop(listener);
    check(client, &up).await;
    let down = stands_at(client, &id, "failed").await;
    assert!(down["error"].as_str().is_some_and(|error| error.contains("cannot connect")), "{down}");
    let incidents = client.json("/api/v1/incidents").await;
    let incident = &incidents["incidents"][0];
    assert_eq!((&incident["status"], &incident["source"]), (&json!("open"), &json!(id)));

    let _again = TcpListener::bind(address).await.expect("the same port");
    check(client, &down).await;
    stands_at(client, &id, "success").await;
    let incidents = client.json("/api/v1/incidents").await;
    assert_eq!(incidents["incidents"][0]["status"], "resolved");
    assert_eq!(incidents["incidents"].as_array().map(Vec::len), Some(1));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn http_is_judged_by_its_answer(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let good = watch(client, "http", &format!("{}/healthz", server.base())).await;
    let bad = watch(client, "http", &format!("{}/api/v1/nowhere", server.base())).await;
    stands_at(client, &good, "success").await;
    let bad = stands_at(client, &bad, "failed").await;
    assert!(bad["error"].as_str().is_some_and(|error| error.contains("answered with 40")), "{bad}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn private_addresses_are_not_reached_unless_allowed(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.check_allowed_networks = Vec::new()).await;
    let client = &server.client;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let id = watch(client, "tcp", &address).await;
    let refused = stands_at(client, &id, "failed").await;
    assert!(refused["error"].as_str().is_some_and(|error| error.contains("public")), "{refused}");
    server.stop().await;
}

/// Notes a check as it was made so many days ago, and gives the server's id.
async fn note(pool: &PgPool, server: &TestServer, id: &str, days: f64, latency_ms: i64) -> ServerId {
    let id: ServerId = id.parse().expect("an id");
    sqlx::query(
        "insert into server_checks (project_id, server_id, checked_at, ok, latency_ms)
         values ($1, $2, now() - make_interval(secs => $3 * 86400), true, $4)",
    )
    .bind(server.project.uuid())
    .bind(id.uuid())
    .bind(days)
    .bind(latency_ms)
    .execute(pool)
    .await
    .expect("noted");
    id
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn the_last_checks_are_told_and_shown(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let client = &server.client;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let id = watch(client, "tcp", &address).await;
    let up = stands_at(client, &id, "success").await;
    // A check that came to the same, but took its time: the record stays, and the checks tell.
    note(&pool, &server, &id, -1.0, 4_321).await;
    let path = format!("/api/v1/servers/{id}/checks");
    let told = client.json(&path).await;
    let checks = told["checks"].as_array().expect("checks");
    assert!(checks.len() >= 2, "{told}");
    assert_eq!((&checks[0]["latencyMs"], &checks[0]["ok"]), (&json!(4_321), &json!(true)));
    assert_eq!(told["lastCheckedAt"], checks[0]["checkedAt"]);
    assert_ne!(up["latencyMs"], checks[0]["latencyMs"]);
    assert_eq!(client.json(&format!("{path}?limit=1")).await["checks"].as_array().map(Vec::len), Some(1));
    assert_eq!(client.status(&format!("{path}?limit=0")).await, 400);

    let viewer = server.add_person(server.project, "vi@quay.example", &["viewer"], &[]).await;
    let viewer = server.session_of(viewer).await;
    let page =
        viewer.get(&format!("/servers/{id}")).send().await.expect("a page").text().await.expect("a body");
    assert!(page.contains("answered after 4,321 ms"), "the last check, not the first");
    assert!(page.contains("class=\"sparkline\"") && page.contains("data-checks="), "line and table");
    let settlement = client.create("INV-1").await["id"].as_str().expect("an id").to_owned();
    let other = viewer.get(&format!("/settlements/{settlement}")).send().await.expect("a page");
    assert!(!other.text().await.expect("a body").contains("data-last-check"), "servers alone are checked");

    assert_eq!(server.client_with(&["tickets.read"]).await.status(&path).await, 403);
    let elsewhere = server.add_project("other").await;
    assert_eq!(server.client_of(elsewhere, &["*"]).await.status(&path).await, 404);
    let ops = server.add_person(server.project, "ops@firm.example", &["ops"], &[]).await;
    let firm = server.add_organization(server.project, "Firm").await;
    let new = json!({ "name": "Theirs", "kind": "tcp", "address": address, "organizationId": firm });
    let theirs = client.post("/api/v1/servers").json(&new).send().await.expect("an answer");
    let theirs = read_json(theirs, StatusCode::CREATED).await["id"].as_str().expect("an id").to_owned();
    let ops = server.session_of(ops).await;
    assert_eq!(ops.status(&format!("/api/v1/servers/{theirs}/checks")).await, 404, "of another organization");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn checks_are_kept_for_seven_days(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let new = json!({ "name": "Bank", "kind": "tcp", "address": "127.0.0.1:9", "intervalSeconds": 86_400 });
    let made = server.client.post("/api/v1/servers").json(&new).send().await.expect("an answer");
    let id = read_json(made, StatusCode::CREATED).await["id"].as_str().expect("an id").to_owned();
    stands_at(&server.client, &id, "failed").await;
    for days in [6.9, 7.1, 30.0] {
        note(&pool, &server, &id, days, 5).await;
    }
    assert_eq!(db::server_checks::forget_old(&pool).await.expect("forgotten"), 2);
    assert_eq!(db::server_checks::forget_old(&pool).await.expect("forgotten"), 0);
    let told = server.client.json(&format!("/api/v1/servers/{id}/checks")).await;
    assert_eq!(told["checks"].as_array().map(Vec::len), Some(2), "{told}");
    server.stop().await;
}
