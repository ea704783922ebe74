//! Jobs by the API: seen, called off, done again, and nobody else's.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Client, TestServer, eventually, read_json};

async fn jobs(client: &Client, query: &str) -> Vec<Value> {
    client.json(&format!("/api/v1/jobs{query}")).await["jobs"].as_array().expect("jobs").clone()
}

async fn post(client: &Client, path: &str) -> (u16, Value) {
    let answer = client.post(path).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_key_with_an_end_has_a_job_that_waits_for_it_and_can_be_called_off(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let body = json!({ "name": "for a day", "scopes": ["events.read"], "expiresInDays": 1 });
    let answer = server.client.post("/api/v1/api-keys").json(&body).send().await.expect("an answer");
    let key = read_json(answer, StatusCode::CREATED).await["id"].clone();
    let waiting = jobs(&server.client, "?state=scheduled").await;
    assert_eq!((waiting.len(), &waiting[0]["kind"]), (1, &json!("key.revoke")), "{waiting:?}");
    assert_eq!(waiting[0]["payload"], json!({ "keyId": key }));
    let path = format!("/api/v1/jobs/{}", waiting[0]["id"].as_str().expect("an id"));

    let viewer = server.client_with(&["jobs.read"]).await;
    let seen = viewer.json(&path).await;
    assert_eq!((&seen["state"], &seen["actions"]), (&json!("scheduled"), &json!([])));
    assert_eq!(server.client.json(&path).await["actions"], json!(["cancel"]));
    assert_eq!(post(&viewer, &format!("{path}/cancel")).await.0, 403);
    assert_eq!(server.client_with(&["events.publish"]).await.status("/api/v1/jobs").await, 403);
    let other = server.add_project("other").await;
    let stranger = server.client_of(other, &["*"]).await;
    assert!(jobs(&stranger, "").await.is_empty());
    assert_eq!(stranger.status(&path).await, 404);
    assert_eq!(post(&stranger, &format!("{path}/cancel")).await.0, 404);

    assert_eq!(post(&server.client, &format!("{path}/retry")).await.0, 409, "it has not come to its end");
    let (status, job) = post(&server.client, &format!("{path}/cancel")).await;
    assert_eq!((status, &job["state"]), (200, &json!("cancelled")));
    assert_eq!(post(&server.client, &format!("{path}/cancel")).await.0, 409);
    let (status, job) = post(&server.client, &format!("{path}/retry")).await;
    assert_eq!((status, &job["state"]), (200, &json!("waiting")));
    // Begun before its time, it waits for the key's end.
    eventually("it to wait again", async || {
        (server.client.json(&path).await["state"] == "scheduled").then_some(())
    })
    .await;
    let audit = server.client.json("/api/v1/audit?action=job.retry").await;
    assert_eq!(audit["entries"].as_array().map(Vec::len), Some(1));
    assert_eq!(server.client.status("/api/v1/jobs?state=asleep").await, 400);
    server.stop().await;
}
