//! Above the limit two persons release a settlement. A key counts as the person for whom it acts.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::id::UserId;

use crate::support::{Client, TestServer, read_json};

const SCOPES: &[&str] = &["settlements.act", "settlements.read"];

async fn start(pool: &PgPool) -> TestServer {
    TestServer::start_with(pool, |config| config.approval_limit_minor = 1_000).await
}

/// A settlement above the limit that is held.
async fn held(server: &TestServer) -> Value {
    let settlement = server.client.create("BIG-1").await;
    server.client.make_move(&settlement, json!({ "move": "hold", "reason": "big" })).await
}

async fn operator(server: &TestServer, email: &str) -> UserId {
    server.add_person(server.project, email, &["operator"], &[]).await
}

/// Tries to release it; the problem that it is refused with.
async fn refused(client: &Client, settlement: &Value) -> String {
    let answer = client.try_move(settlement, json!({ "move": "release" })).await;
    let problem = read_json(answer, StatusCode::CONFLICT).await;
    problem["detail"].as_str().expect("why").to_owned()
}

async fn release(client: &Client, settlement: &Value) -> Value {
    client.make_move(settlement, json!({ "move": "release" })).await
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn two_persons_release(pool: PgPool) {
    let server = start(&pool).await;
    let (ann, bob) =
        (operator(&server, "ann@quay.example").await, operator(&server, "bob@quay.example").await);
    let session = server.session_of(ann).await;
    let asked = release(&session, &held(&server).await).await;
    assert_eq!(
        (&asked["status"], &asked["releaseRequestedBy"]),
        (&json!("held"), &json!(format!("user:{ann}")))
    );
    assert!(refused(&session, &asked).await.contains("second person"), "the same person twice");
    let released = release(&server.session_of(bob).await, &asked).await;
    assert_eq!((&released["status"], &released["releaseRequestedBy"]), (&json!("created"), &Value::Null));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_person_with_a_session_and_a_key_is_one(pool: PgPool) {
    let server = start(&pool).await;
    let ann = server.add_person(server.project, "ann@quay.example", &["admin"], &[]).await;
    let session = server.session_of(ann).await;
    let new = json!({ "name": "mine", "scopes": ["*"] });
    let made = session.post("/api/v1/api-keys").json(&new).send().await.expect("an answer");
    let made = read_json(made, StatusCode::CREATED).await;
    let key = session.with_key(made["secret"].as_str().expect("a secret"));
    // A key that a key has made acts for the same person, and so does the one that takes its place.
    let made = key.post("/api/v1/api-keys").json(&new).send().await.expect("an answer");
    let made = read_json(made, StatusCode::CREATED).await;
    let second = session.with_key(made["secret"].as_str().expect("a secret"));
    let path = format!("/api/v1/api-keys/{}/rotate", made["id"].as_str().expect("an id"));
    let rotated = key.post(&path).json(&json!({ "overlapHours": 1 })).send().await.expect("an answer");
    let rotated = read_json(rotated, StatusCode::CREATED).await;
    let third = session.with_key(rotated["secret"].as_str().expect("a secret"));

    let asked = release(&session, &held(&server).await).await;
    for client in [&key, &second, &third] {
        assert!(refused(client, &asked).await.contains("second person"));
    }
    let bob = operator(&server, "bob@quay.example").await;
    let bob = server.client_for(server.project, SCOPES, Some(bob)).await;
    assert_eq!(release(&bob, &asked).await["status"], "created", "another person's key");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn two_keys_of_one_person_are_one(pool: PgPool) {
    let server = start(&pool).await;
    let ann = operator(&server, "ann@quay.example").await;
    let one = server.client_for(server.project, SCOPES, Some(ann)).await;
    let other = server.client_for(server.project, SCOPES, Some(ann)).await;
    let asked = release(&one, &held(&server).await).await;
    assert!(refused(&other, &asked).await.contains("second person"));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_key_of_nobody_releases_nothing_above_the_limit(pool: PgPool) {
    let server = start(&pool).await;
    let nobody = server.client_with(SCOPES).await;
    let settlement = held(&server).await;
    assert!(refused(&nobody, &settlement).await.contains("cannot be told"), "to ask for it");
    let ann = operator(&server, "ann@quay.example").await;
    let asked = release(&server.session_of(ann).await, &settlement).await;
    assert!(refused(&nobody, &asked).await.contains("cannot be told"), "to do it");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn below_the_limit_anybody_releases(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let settlement = held(&server).await;
    assert_eq!(release(&server.client, &settlement).await["status"], "created");
    server.stop().await;
}
