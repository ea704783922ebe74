//! Endpoints that take nothing: disabled, and enabled again.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;
use tidewatch_server::webhooks::retention::{KEEP, tidy};
use time::OffsetDateTime;

use crate::support::{Client, TestServer, eventually, read_json};
use crate::webhook_receiver::{Made, Receiver, deliveries, delivery_in, make_at, post, start};

async fn disabled(client: &Client, made: &Made) -> Value {
    eventually("the endpoint to be disabled", async || {
        let webhook = client.json(&made.path).await;
        (webhook["enabled"] == false).then_some(webhook)
    })
    .await
}

async fn set_enabled(client: &Client, made: &Made, enabled: bool) {
    let answer = client.patch(&made.path).json(&json!({ "enabled": enabled })).send().await;
    let webhook = read_json(answer.expect("an answer"), StatusCode::OK).await;
    assert_eq!(webhook["enabled"], enabled);
}

async fn publish(server: &TestServer, payload: u32) {
    server.client.publish(json!({ "channelName": "orders", "payload": payload })).await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_endpoint_that_is_gone_is_disabled(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let made = make_at(&server.client, &receiver).await;
    receiver.answer_once(StatusCode::INTERNAL_SERVER_ERROR);
    publish(&server, 1).await;
    let waiting = receiver.wait_for(1).await.remove(0);
    eventually("the failure to be noted", async || {
        (deliveries(&server.client, &made).await[0]["attemptCount"] == 1).then_some(())
    })
    .await;
    receiver.answer_once(StatusCode::GONE);
    publish(&server, 2).await;
    let webhook = disabled(&server.client, &made).await;
    assert_eq!((&webhook["disabledReason"], &webhook["pending"]), (&json!("gone"), &json!(0)));
    let called_off = server.client.json(&format!("{}/deliveries/{}", made.path, waiting.id())).await;
    assert_eq!(
        (&called_off["state"], &called_off["lastError"]),
        (&json!("cancelled"), &json!("the endpoint was disabled"))
    );
    let gone = &deliveries(&server.client, &made).await[0];
    assert_eq!((&gone["state"], &gone["lastStatus"]), (&json!("failed"), &json!(410)));
    let audit = server.client.json("/api/v1/audit?action=webhook.disable").await["entries"].clone();
    assert_eq!((&audit[0]["actor"], &audit[0]["target"]), (&json!("system:webhooks"), &json!(made.id)));

    // While it is disabled nothing is sent, and enabled again it is told of what happens from then on.
    publish(&server, 3).await;
    server.all_published().await;
    assert_eq!(post(&server.client, &format!("{}/test", made.path), json!({})).await.0, 409);
    let resend = format!("{}/deliveries/{}/resend", made.path, waiting.id());
    assert_eq!(post(&server.client, &resend, json!({})).await.0, 409);
    set_enabled(&server.client, &made, true).await;
    publish(&server, 4).await;
    let payloads: Vec<Value> =
        receiver.wait_for(3).await.iter().map(|each| each.json()["data"]["payload"].clone()).collect();
    assert_eq!(payloads, [json!(1), json!(2), json!(4)]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_endpoint_that_takes_nothing_for_days_is_disabled(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let made = make_at(&server.client, &receiver).await;
    let begun_failing = async |interval: &str| {
        sqlx::query("update webhook_endpoints set failing_since = now() - $1::text::interval")
            .bind(interval)
            .execute(&pool)
            .await
            .expect("long ago")
    };
    receiver.answer_always(StatusCode::BAD_GATEWAY);
    begun_failing("4 days 23 hours").await;
    publish(&server, 1).await;
    eventually("the failure to be noted", async || {
        deliveries(&server.client, &made).await.first().filter(|one| one["attemptCount"] == 1).map(drop)
    })
    .await;
    assert_eq!(server.client.json(&made.path).await["enabled"], true, "not before its time");
    begun_failing("5 days 1 second").await;
    publish(&server, 2).await;
    let webhook = disabled(&server.client, &made).await;
    assert_eq!(webhook["disabledReason"], "failing");
    assert!(deliveries(&server.client, &made).await.iter().all(|delivery| delivery["state"] == "cancelled"));
    set_enabled(&server.client, &made, true).await;
    assert!(server.client.json(&made.path).await["failingSince"].is_null());
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn disabled_by_a_person_what_was_on_its_way_is_called_off(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let made = make_at(&server.client, &receiver).await;
    receiver.answer_always(StatusCode::BAD_GATEWAY);
    publish(&server, 1).await;
    let id = receiver.wait_for(1).await.remove(0).id().to_owned();
    eventually("the failure to be noted", async || {
        (deliveries(&server.client, &made).await[0]["attemptCount"] == 1).then_some(())
    })
    .await;
    set_enabled(&server.client, &made, false).await;
    delivery_in(&server.client, &made, &id, "cancelled").await;
    // Its job comes, finds that out, and ends without an attempt.
    eventually("the job to end", async || {
        let jobs = server.client.json("/api/v1/jobs?kind=webhook.deliver").await["jobs"].clone();
        (jobs[0]["state"] == "completed").then_some(())
    })
    .await;
    assert_eq!(receiver.received().len(), 1);
    let cursors: i64 =
        sqlx::query_scalar("select count(*) from webhook_cursors").fetch_one(&pool).await.expect("a count");
    publish(&server, 2).await;
    eventually("the project to cost nothing again", async || {
        let cursors: i64 = sqlx::query_scalar("select count(*) from webhook_cursors")
            .fetch_one(&pool)
            .await
            .expect("a count");
        (cursors == 0).then_some(())
    })
    .await;
    assert!(cursors <= 1);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn deliveries_go_after_their_time_and_none_waits_for_ever(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let made = make_at(&server.client, &receiver).await;
    publish(&server, 1).await;
    let done = receiver.wait_for(1).await.remove(0).id().to_owned();
    delivery_in(&server.client, &made, &done, "delivered").await;
    receiver.answer_always(StatusCode::BAD_GATEWAY);
    publish(&server, 2).await;
    let stuck = receiver.wait_for(2).await.remove(1).id().to_owned();
    eventually("the failure to be noted", async || {
        (deliveries(&server.client, &made).await[0]["attemptCount"] == 1).then_some(())
    })
    .await;
    sqlx::query(
        "update webhook_deliveries set next_attempt_at = now() - interval '2 hours' where state = 'pending'",
    )
    .execute(&pool)
    .await
    .expect("long due");
    let now = OffsetDateTime::now_utc();
    assert_eq!(tidy(&pool, now - KEEP).await.expect("tidied"), 0);
    assert_eq!(
        server.client.json(&format!("{}/deliveries/{stuck}", made.path)).await["state"],
        "pending",
        "it has a job"
    );
    // Somebody calls the job off.
    let jobs = server.client.json("/api/v1/jobs?kind=webhook.deliver&state=scheduled").await["jobs"].clone();
    let cancel = format!("/api/v1/jobs/{}/cancel", jobs[0]["id"].as_str().expect("an id"));
    assert_eq!(post(&server.client, &cancel, json!({})).await.0, 200);
    assert_eq!(tidy(&pool, now - KEEP).await.expect("tidied"), 0);
    delivery_in(&server.client, &made, &stuck, "failed").await;
    let later = OffsetDateTime::now_utc() + time::Duration::seconds(1);
    assert_eq!(tidy(&pool, later).await.expect("tidied"), 2);
    assert!(deliveries(&server.client, &made).await.is_empty());
    server.stop().await;
}
