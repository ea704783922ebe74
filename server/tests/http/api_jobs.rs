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

async fn ask(client: &Client, path: &str, body: Value) -> (u16, Value) {
    let answer = client.post(path).json(&body).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn many_are_counted_first_and_moved_where_that_is_confirmed(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for name in ["a", "b", "c"] {
        let body = json!({ "name": name, "scopes": ["events.read"], "expiresInDays": 1 });
        let answer = server.client.post("/api/v1/api-keys").json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::CREATED);
    }
    let scheduled = json!({ "state": "scheduled", "kind": "key.revoke" });
    let confirmed = json!({ "state": "scheduled", "kind": "key.revoke", "confirmed": true });
    let (cancel, retry) = ("/api/v1/jobs/cancel", "/api/v1/jobs/retry");

    let would = json!({ "done": false, "jobs": 3, "more": false });
    assert_eq!(ask(&server.client, cancel, scheduled.clone()).await, (200, would));
    assert_eq!(jobs(&server.client, "?state=scheduled").await.len(), 3, "nothing is done yet");
    let elsewhere = json!({ "state": "scheduled", "queue": "elsewhere", "confirmed": true });
    assert_eq!(ask(&server.client, cancel, elsewhere).await.1["jobs"], 0);
    let viewer = server.client_with(&["jobs.read"]).await;
    assert_eq!(ask(&viewer, cancel, scheduled.clone()).await.0, 403);
    let other = server.add_project("other").await;
    let stranger = server.client_of(other, &["*"]).await;
    assert_eq!(ask(&stranger, cancel, confirmed.clone()).await.1["jobs"], 0);

    let done = json!({ "done": true, "jobs": 3, "more": false });
    assert_eq!(ask(&server.client, cancel, confirmed.clone()).await, (200, done.clone()));
    assert_eq!(jobs(&server.client, "?state=cancelled").await.len(), 3);
    let (status, problem) = ask(&server.client, cancel, json!({ "state": "cancelled" })).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("#/state")), "{problem}");
    assert_eq!(ask(&server.client, retry, scheduled).await.0, 422);
    assert_eq!(ask(&server.client, retry, json!({ "confirmed": true })).await.0, 422, "no state is named");
    let again = json!({ "state": "cancelled", "confirmed": true });
    assert_eq!(ask(&server.client, retry, again).await, (200, done));
    assert!(jobs(&server.client, "?state=cancelled").await.is_empty());

    for action in ["job.cancel_many", "job.retry_many"] {
        let audit = server.client.json(&format!("/api/v1/audit?action={action}")).await;
        assert_eq!(audit["entries"].as_array().map(Vec::len), Some(1), "{audit}");
        assert_eq!(audit["entries"][0]["after"], json!({ "jobs": 3 }));
    }
    server.stop().await;
}
