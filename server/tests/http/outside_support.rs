//! People, rules and jobs for the tests of what goes outside.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_events::id::UserId;

use crate::support::{Client, TestServer, eventually, read_json};

/// A person who sees everything, with a session.
pub(crate) struct Person {
    pub(crate) id: UserId,
    pub(crate) email: String,
    pub(crate) client: Client,
}

pub(crate) async fn person(server: &TestServer, name: &str) -> Person {
    let email = format!("{name}@example.com");
    let id = server.add_person(server.project, &email, &["viewer"], &[]).await;
    Person { id, email, client: server.session_of(id).await }
}

impl Person {
    /// Says what they want.
    pub(crate) async fn want(&self, settings: Value) {
        let answer = self.client.put("/api/v1/notifications/settings").json(&settings).send().await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{:?}", answer.text().await);
    }

    /// What they want.
    pub(crate) async fn settings(&self) -> Value {
        self.client.json("/api/v1/notifications/settings").await["settings"].clone()
    }

    /// Their unread notifications, as soon as they are so many.
    pub(crate) async fn unread(&self, count: usize) -> Vec<Value> {
        eventually("notifications", async || {
            let page = self.client.json("/api/v1/notifications").await;
            let all = page["notifications"].as_array().expect("notifications").clone();
            (all.len() == count).then_some(all)
        })
        .await
    }
}

/// A preference for all types.
pub(crate) fn prefer(email: &str, push: bool) -> Value {
    json!([{ "pattern": "*", "inApp": true, "email": email, "push": push }])
}

/// A rule that tells a person of new settlements.
pub(crate) async fn rule_for(server: &TestServer, person: &Person, more: Value) {
    let mut rule = json!({
        "name": format!("new settlements {}", uuid::Uuid::now_v7()),
        "types": ["settlement.created"],
        "audience": [{ "kind": "user", "id": person.id }],
        "template": {
            "title": "<b>{{/reference}}</b> & co",
            "body": "first line\n<img src=x>",
            "link": "/settlements/{{id}}",
        },
    });
    for (name, value) in more.as_object().expect("an object") {
        rule[name] = value.clone();
    }
    let answer = server.client.post("/api/v1/notification-rules").json(&rule).send().await;
    read_json(answer.expect("an answer"), StatusCode::CREATED).await;
}

/// Jobs of a kind that are to be done at a time to come: when, in seconds from now.
pub(crate) async fn scheduled(pool: &PgPool, kind: &str) -> Vec<f64> {
    sqlx::query_scalar(
        "select extract(epoch from run_at - now())::double precision from jobs
         where kind = $1 and state = 'scheduled' and run_at > now() order by run_at",
    )
    .bind(kind)
    .fetch_all(pool)
    .await
    .expect("jobs")
}

/// Has jobs of a kind done now that wait for their time.
pub(crate) async fn hurry(pool: &PgPool, kind: &str) {
    sqlx::query("update jobs set run_at = now() where kind = $1 and state = 'scheduled'")
        .bind(kind)
        .execute(pool)
        .await
        .expect("jobs");
}

/// Waits until the only job of a kind waits for its time.
pub(crate) async fn rests(pool: &PgPool, kind: &str) {
    eventually(&format!("{kind} to rest"), async || (scheduled(pool, kind).await.len() == 1).then_some(()))
        .await;
}
