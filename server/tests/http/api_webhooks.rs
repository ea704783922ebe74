//! Webhooks: signed, sent, sent again, and seen by the API.

use reqwest::StatusCode;
use serde_json::json;
use sqlx::PgPool;

use crate::support::{TestServer, eventually, read_json};
use crate::webhook_receiver::{Receiver, deliveries, delivery_in, make, make_at, post, start};

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_event_is_delivered_once_and_signed(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    server
        .client
        .publish(json!({ "channelName": "orders", "payload": "before there was an endpoint" }))
        .await;
    // An endpoint is told of what the log takes from then on: what has no position yet may still be told.
    server.all_published().await;
    let made = make_at(&server.client, &receiver).await;
    let settlement = server.client.create("INV-1").await;
    let received = receiver.wait_for(1).await.remove(0);
    assert_eq!(received.header("webhook-signature"), received.signed_by(&[&made.secret]));
    assert_eq!(received.header("content-type"), "application/json");
    let body = received.json();
    assert_eq!(body["type"], "settlement.created");
    let event = server
        .client
        .json(&format!("/api/v1/events/{}", body["data"]["eventId"].as_str().expect("an id")))
        .await;
    assert_eq!((&body["data"], &body["timestamp"]), (&event, &event["occurredAt"]));
    assert_eq!(event["aggregateId"], settlement["id"]);

    let delivery = delivery_in(&server.client, &made, received.id(), "delivered").await;
    assert_eq!(
        (&delivery["eventType"], &delivery["attemptCount"]),
        (&json!("settlement.created"), &json!(1))
    );
    assert_eq!((&delivery["lastStatus"], &delivery["lastError"]), (&json!(200), &json!(null)));
    assert_eq!(delivery["position"], event["position"]);
    let attempt = &delivery["attempts"][0];
    assert_eq!(
        (&attempt["number"], &attempt["status"], &attempt["excerpt"]),
        (&json!(1), &json!(200), &json!("this is 200"))
    );
    assert_eq!(
        deliveries(&server.client, &made).await.len(),
        1,
        "of what was published before it is told nothing"
    );
    // Its job is done and in the list of jobs.
    let jobs = server.client.json("/api/v1/jobs?kind=webhook.deliver").await["jobs"].clone();
    assert_eq!((&jobs[0]["state"], &jobs[0]["queue"]), (&json!("completed"), &json!("webhooks")), "{jobs}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_was_not_taken_is_sent_again_under_the_same_id(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let made = make_at(&server.client, &receiver).await;
    receiver.answer_once(StatusCode::INTERNAL_SERVER_ERROR);
    server.client.publish(json!({ "channelName": "orders", "payload": 1 })).await;
    let first = receiver.wait_for(1).await.remove(0);
    let waiting = eventually("the failure to be noted", async || {
        let delivery = server.client.json(&format!("{}/deliveries/{}", made.path, first.id())).await;
        (delivery["attemptCount"] == 1).then_some(delivery)
    })
    .await;
    assert_eq!((&waiting["state"], &waiting["lastStatus"]), (&json!("pending"), &json!(500)));
    assert_eq!(waiting["lastError"], "the receiver answered 500");
    assert!(waiting["nextAttemptAt"].is_string());
    assert!(server.client.json(&made.path).await["failingSince"].is_string());

    let second = receiver.wait_for(2).await.remove(1);
    assert_eq!((second.id(), &second.body), (first.id(), &first.body));
    assert_eq!(second.header("webhook-signature"), second.signed_by(&[&made.secret]), "signed anew");
    let seconds = |received: &crate::webhook_receiver::Received| -> u64 {
        received.header("webhook-timestamp").parse().expect("seconds")
    };
    assert!(seconds(&second) >= seconds(&first) + 4, "the schedule says 5 s, give or take a tenth");
    let delivery = delivery_in(&server.client, &made, first.id(), "delivered").await;
    let statuses: Vec<_> =
        delivery["attempts"].as_array().expect("attempts").iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, [500, 200]);
    assert!(server.client.json(&made.path).await["failingSince"].is_null(), "it takes again what it is sent");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_person_can_have_it_sent_again_and_send_a_test(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let made = make(&server.client, json!({ "url": receiver.url(), "types": ["settlement.*"] })).await;
    let (status, test) = post(&server.client, &format!("{}/test", made.path), json!({})).await;
    assert_eq!(
        (status, &test["eventType"], &test["position"]),
        (202, &json!("webhook.test"), &json!(null)),
        "{test}"
    );
    let received = receiver.wait_for(1).await.remove(0);
    assert_eq!(
        (received.id(), &received.json()["type"]),
        (test["id"].as_str().expect("an id"), &json!("webhook.test"))
    );
    assert_eq!(received.json()["data"]["eventId"], test["eventId"]);
    delivery_in(&server.client, &made, received.id(), "delivered").await;

    // Where the next attempt by itself is far away, nobody has to wait for it.
    receiver.answer_always(StatusCode::SERVICE_UNAVAILABLE);
    server.client.create("INV-1").await;
    let failed = receiver.wait_for(2).await.remove(1);
    eventually("the failure to be noted", async || {
        let delivery = server.client.json(&format!("{}/deliveries/{}", made.path, failed.id())).await;
        (delivery["attemptCount"] == 1).then_some(())
    })
    .await;
    receiver.answer_always(StatusCode::OK);
    let path = format!("{}/deliveries/{}/resend", made.path, failed.id());
    assert_eq!(post(&server.client, &path, json!({})).await.0, 202);
    let delivery = delivery_in(&server.client, &made, failed.id(), "delivered").await;
    assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(2), "{delivery}");
    // What was taken can be sent again as well, and the job of the round before does nothing more.
    assert_eq!(post(&server.client, &path, json!({})).await.0, 202);
    let all = receiver.wait_for(4).await;
    assert!(all[1..].iter().all(|each| (each.id(), &each.body) == (failed.id(), &failed.body)));
    eventually("all jobs to have come to an end", async || {
        let jobs = server.client.json("/api/v1/jobs?kind=webhook.deliver").await["jobs"].clone();
        let jobs = jobs.as_array().expect("jobs").clone();
        jobs.iter().all(|job| job["state"] == "completed").then_some(())
    })
    .await;
    assert_eq!(receiver.received().len(), 4);
    let audit = server.client.json("/api/v1/audit?action=webhook.").await["entries"].clone();
    let actions: Vec<_> =
        audit.as_array().expect("entries").iter().map(|entry| entry["action"].as_str()).collect();
    assert_eq!(
        actions,
        ["resend", "resend", "test", "create"]
            .map(|one| format!("webhook.{one}"))
            .each_ref()
            .map(|one| Some(one.as_str()))
    );
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn while_its_secret_is_rotated_both_sign(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let made = make_at(&server.client, &receiver).await;
    let (rotate, test) = (format!("{}/rotate-secret", made.path), format!("{}/test", made.path));
    let (status, rotated) = post(&server.client, &rotate, json!({ "overlapHours": 2 })).await;
    assert_eq!(status, 200, "{rotated}");
    let new = rotated["secret"].as_str().expect("a secret");
    assert!(new.starts_with("whsec_") && new != made.secret);
    assert!(rotated["oldSecretUntil"].is_string());
    post(&server.client, &test, json!({})).await;
    let received = receiver.wait_for(1).await.remove(0);
    assert_eq!(received.header("webhook-signature"), received.signed_by(&[new, &made.secret]));

    let (_, rotated) = post(&server.client, &rotate, json!({ "overlapHours": 0 })).await;
    let newest = rotated["secret"].as_str().expect("a secret");
    post(&server.client, &test, json!({})).await;
    let received = receiver.wait_for(2).await.remove(1);
    assert_eq!(
        received.header("webhook-signature"),
        received.signed_by(&[newest, &made.secret]),
        "of the first one the overlap is not over, the second one had none"
    );
    // Shown once: neither later, nor in the audit log, nor in the database.
    let seen = [
        server.client.json("/api/v1/webhooks").await.to_string(),
        server.client.json(&made.path).await.to_string(),
        server.client.json("/api/v1/audit").await.to_string(),
        sqlx::query_scalar::<_, String>(
            "select string_agg(encode(sealed, 'escape'), ' ') from webhook_secrets",
        )
        .fetch_one(&pool)
        .await
        .expect("what is sealed"),
    ]
    .concat();
    for secret in [made.secret.as_str(), new, newest] {
        assert!(!seen.contains(secret.trim_start_matches("whsec_")));
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn deliveries_are_listed_by_state_and_page(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let made = make_at(&server.client, &receiver).await;
    let events: Vec<_> = (0..3).map(|n| json!({ "channelName": "orders", "payload": n })).collect();
    server.client.publish(json!(events)).await;
    let list = format!("{}/deliveries", made.path);
    let all = eventually("all to be delivered", async || {
        let page = server.client.json(&format!("{list}?state=delivered")).await["deliveries"].clone();
        (page.as_array().map(Vec::len) == Some(3)).then_some(page)
    })
    .await;
    let first = server.client.json(&format!("{list}?limit=2")).await;
    assert_eq!(first["deliveries"].as_array().map(Vec::len), Some(2));
    let next = first["next"].as_str().expect("another page");
    let second = server.client.json(&format!("{list}?limit=2&after={next}")).await;
    assert_eq!((&second["deliveries"][0], &second["next"]), (&all[2], &json!(null)));
    assert!(server.client.json(&format!("{list}?state=failed")).await["deliveries"] == json!([]));
    for query in ["state=asleep", "limit=0", "after=x", "before=x"] {
        assert_eq!(server.client.status(&format!("{list}?{query}")).await, 400, "{query}");
    }
    let answer = server.client.delete(&made.path).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    for path in [made.path.clone(), list] {
        assert_eq!(server.client.status(&path).await, 404);
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn by_default_nothing_goes_to_addresses_that_are_not_public(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let receiver = Receiver::start().await;
    let port = receiver.address.port();
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://127.0.0.1:{port}/"),
        format!("https://2130706433:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "https://10.0.0.1/".to_owned(),
        "http://example.com/".to_owned(),
        "https://ann:secret@example.com/".to_owned(),
        "ftp://example.com/".to_owned(),
        "example.com".to_owned(),
    ] {
        let (status, problem) = post(&server.client, "/api/v1/webhooks", json!({ "url": url })).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("#/url")), "{url}: {problem}");
    }
    // A name says nothing by itself: what it stands for is looked at when it is connected to.
    let made = make(&server.client, json!({ "url": format!("https://localhost:{port}/") })).await;
    let (_, test) = post(&server.client, &format!("{}/test", made.path), json!({})).await;
    let delivery = delivery_in(&server.client, &made, test["id"].as_str().expect("an id"), "failed").await;
    let error = delivery["lastError"].as_str().expect("a reason");
    assert!(error.contains("loopback"), "{error}");
    assert_eq!(delivery["attempts"].as_array().map(Vec::len), Some(1), "it is not tried again");
    assert!(receiver.received().is_empty());
    let answer = server.client.patch(&made.path).json(&json!({ "url": "https://10.0.0.1/" })).send().await;
    read_json(answer.expect("an answer"), StatusCode::UNPROCESSABLE_ENTITY).await;
    server.stop().await;
}
