//! Rules, inboxes and what became of receipts, for the tests of notifications.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Client, TestServer, eventually, read_json};

/// A rule that tells this audience of these event types.
pub(crate) fn rule(name: &str, types: &[&str], audience: Value) -> Value {
    json!({
        "name": name,
        "types": types,
        "audience": audience,
        "template": {
            "title": "{{/title}}", "body": "{{type}} {{/body}}", "link": "/events?resource={{id}}", "group": "{{/group}}",
        },
    })
}

/// The same with these fields in the place of its own.
pub(crate) fn with(mut rule: Value, more: Value) -> Value {
    for (name, value) in more.as_object().expect("an object") {
        rule[name] = value.clone();
    }
    rule
}

/// Makes a rule.
pub(crate) async fn make_rule(client: &Client, rule: Value) -> Value {
    let answer = client.post("/api/v1/notification-rules").json(&rule).send().await.expect("an answer");
    let location = answer.headers().get("location").cloned();
    let made = read_json(answer, StatusCode::CREATED).await;
    assert_eq!(location.expect("a location").to_str().expect("text"), path_of(&made));
    made
}

pub(crate) fn path_of(rule: &Value) -> String {
    format!("/api/v1/notification-rules/{}", text(&rule["id"]))
}

/// Publishes an event of a parcel with this payload, and gives its id.
pub(crate) async fn publish(client: &Client, event_type: &str, payload: Value) -> String {
    let event = json!({ "channelName": "parcels", "eventType": event_type, "payload": payload });
    client.publish(event).await.remove(0)
}

/// Waits until rules have made everything of what was published so far, and all have been told.
pub(crate) async fn all_told(server: &TestServer) {
    server.all_published().await;
    eventually("everybody to be told", async || {
        let busy: bool = sqlx::query_scalar(
            "select exists (select from notification_cursors c join project_streams s using (project_id)
                            where c.position < s.last_position)
                 or exists (select from jobs where kind = 'notification.notify'
                            and state in ('scheduled', 'waiting', 'running'))",
        )
        .fetch_one(&server.pool)
        .await
        .expect("a look");
        (!busy).then_some(())
    })
    .await;
}

/// A page of one's notifications.
pub(crate) async fn list(client: &Client, query: &str) -> Vec<Value> {
    let page = client.json(&format!("/api/v1/notifications{query}")).await;
    page["notifications"].as_array().expect("notifications").clone()
}

/// The titles of a page, newest first.
pub(crate) async fn titles(client: &Client, query: &str) -> Vec<String> {
    list(client, query).await.iter().map(|notification| text(&notification["title"])).collect()
}

/// `unread` and `unacknowledged` of the badge.
pub(crate) async fn count(client: &Client) -> (u64, u64) {
    let count = client.json("/api/v1/notifications/count").await;
    (count["unread"].as_u64().expect("a number"), count["unacknowledged"].as_u64().expect("a number"))
}

/// Takes a step with a notification; the status and what came of it.
pub(crate) async fn take(client: &Client, notification: &Value, step: &str) -> (u16, Value) {
    let path = format!("/api/v1/notifications/{}/{step}", text(&notification["id"]));
    let answer = client.post(&path).send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

/// The types of all events of a receipt or message in the order of their versions, which have no gap.
pub(crate) async fn events_of(pool: &PgPool, id: &Value) -> Vec<String> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select event_type, aggregate_version from domain_events
         where aggregate_type = 'Notification' and aggregate_id = $1 order by aggregate_version",
    )
    .bind(text(id))
    .fetch_all(pool)
    .await
    .expect("events");
    for (version, row) in (1..).zip(&rows) {
        assert_eq!(row.1, version, "{rows:?}");
    }
    rows.into_iter()
        .map(|(event_type, _)| event_type.trim_start_matches("notification.").to_owned())
        .collect()
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
