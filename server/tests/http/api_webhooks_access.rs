//! What endpoints of webhooks may see, and who may make them.

use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Client, TestServer, eventually, read_json};
use crate::webhook_receiver::{Made, Receiver, deliveries, make, make_at, post, start};

/// Publishes the event that [`told`] waits for.
async fn publish_last(server: &TestServer) {
    server.client.publish(json!({ "channelName": "last", "eventType": "last.one", "payload": 1 })).await;
}

/// The types of all that an endpoint is sent up to the last event.
async fn told(server: &TestServer, made: &Made) -> Vec<String> {
    let all = eventually("the last event", async || {
        let all = deliveries(&server.client, made).await;
        all.iter().any(|delivery| delivery["eventType"] == "last.one").then_some(all)
    })
    .await;
    all.iter().rev().map(|delivery| delivery["eventType"].as_str().expect("a type").to_owned()).collect()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn an_endpoint_sees_what_it_was_let_see_and_nothing_that_is_for_others(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let all = make_at(&server.client, &receiver).await;
    let narrow =
        make(&server.client, json!({ "url": receiver.url(), "permissions": ["payments.read"] })).await;
    let picky = json!({ "url": receiver.url(), "types": ["parcel.*", "last.one"] });
    let picky = make(&server.client, picky).await;
    let user = server.add_person(server.project, "ann@example.test", &["viewer"], &[]).await;

    server.client.create("INV-1").await;
    for event in [
        json!({ "channelName": "open", "eventType": "parcel.packed", "payload": 1 }),
        json!({ "channelName": "private-a", "eventType": "parcel.hidden", "payload": 1 }),
        json!({ "channelName": "open", "eventType": "parcel.for_ann", "payload": 1, "audience": [format!("user:{user}")] }),
        json!({ "channelName": "open", "eventType": "parcel.ruled", "payload": 1, "permissions": ["people.manage"] }),
    ] {
        server.client.publish(event).await;
    }
    publish_last(&server).await;
    assert_eq!(told(&server, &all).await, ["settlement.created", "parcel.packed", "last.one"]);
    assert_eq!(told(&server, &narrow).await, ["parcel.packed", "last.one"]);
    assert_eq!(told(&server, &picky).await, ["parcel.packed", "last.one"]);

    // What was taken from it while an event waits is not sent.
    receiver.answer_always(StatusCode::INTERNAL_SERVER_ERROR);
    server.client.create("INV-2").await;
    let waiting = eventually("a failure", async || {
        deliveries(&server.client, &all).await.into_iter().find(|delivery| {
            delivery["attemptCount"] == 1
                && delivery["state"] == "pending"
                && delivery["eventType"] == "settlement.created"
        })
    })
    .await;
    let patch = json!({ "permissions": ["events.read"] });
    read_json(server.client.patch(&all.path).json(&patch).send().await.expect("an answer"), StatusCode::OK)
        .await;
    let path = format!("{}/deliveries/{}", all.path, waiting["id"].as_str().expect("an id"));
    assert_eq!(post(&server.client, &format!("{path}/resend"), json!({})).await.0, 202);
    let delivery = eventually("it to be called off", async || {
        let delivery = server.client.json(&path).await;
        (delivery["state"] == "cancelled").then_some(delivery)
    })
    .await;
    assert_eq!(delivery["attemptCount"], 1, "{delivery}");
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn nothing_crosses_a_project(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let made = make_at(&server.client, &receiver).await;
    let other = server.add_project("other").await;
    let stranger = server.client_of(other, &["*"]).await;
    let theirs = make_at(&stranger, &receiver).await;
    stranger.create("INV-1").await;
    let received = receiver.wait_for(1).await.remove(0);
    assert_eq!(received.header("webhook-signature"), received.signed_by(&[&theirs.secret]));
    publish_last(&server).await;
    assert_eq!(told(&server, &made).await, ["last.one"]);
    let delivery = format!("/deliveries/{}", received.id());
    for path in [made.path.clone(), format!("{}/deliveries", made.path), format!("{}{delivery}", theirs.path)]
    {
        let client = if path.starts_with(&theirs.path) { &server.client } else { &stranger };
        assert_eq!(client.status(&path).await, 404, "{path}");
    }
    assert_eq!(server.client.status(&format!("{}{delivery}", made.path)).await, 404, "another endpoint's");
    for path in ["/rotate-secret", "/test", &format!("{delivery}/resend")] {
        assert_eq!(post(&server.client, &format!("{}{path}", theirs.path), json!({})).await.0, 404, "{path}");
    }
    let patch = server.client.patch(&theirs.path).json(&json!({ "enabled": false })).send().await;
    assert_eq!(patch.expect("an answer").status(), 404);
    assert_eq!(server.client.delete(&theirs.path).send().await.expect("an answer").status(), 404);
    let listed = stranger.json("/api/v1/webhooks").await["webhooks"].clone();
    assert_eq!(listed.as_array().map(Vec::len), Some(1));
    assert_eq!(listed[0]["id"], theirs.id);
    server.stop().await;
}

async fn statuses(client: &Client, made: &Made, url: &str) -> Vec<u16> {
    let mut statuses = vec![
        client.status("/api/v1/webhooks").await,
        client.status(&made.path).await,
        client.status(&format!("{}/deliveries", made.path)).await,
        post(client, "/api/v1/webhooks", json!({ "url": url })).await.0,
        post(client, &format!("{}/rotate-secret", made.path), json!({})).await.0,
        post(client, &format!("{}/test", made.path), json!({})).await.0,
    ];
    let patch = client.patch(&made.path).json(&json!({ "enabled": false })).send().await;
    statuses.push(patch.expect("an answer").status().as_u16());
    statuses.push(client.delete(&made.path).send().await.expect("an answer").status().as_u16());
    statuses
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_may_manage_webhooks_gives_no_more_than_they_hold(pool: PgPool) {
    let server = start(&pool).await;
    let receiver = Receiver::start().await;
    let made = make_at(&server.client, &receiver).await;
    let reader = server.client_with(&["events.read", "jobs.act", "keys.manage"]).await;
    assert_eq!(statuses(&reader, &made, &receiver.url()).await, [403; 8]);
    let organization = server.add_organization(server.project, "One").await;
    let customer = server.add_person(server.project, "eve@example.test", &["ops"], &[organization]).await;
    assert_eq!(statuses(&server.session_of(customer).await, &made, &receiver.url()).await, [403; 8]);
    assert_eq!(server.client.anonymous().status("/api/v1/webhooks").await, 401);

    let manager = server.client_with(&["webhooks.manage", "settlements.read"]).await;
    let own = make(&manager, json!({ "url": receiver.url() })).await;
    assert_eq!(
        server.client.json(&own.path).await["permissions"],
        json!(["settlements.read"]),
        "what it can read"
    );
    let more = json!({ "url": receiver.url(), "permissions": ["payments.read"] });
    let (status, problem) = post(&manager, "/api/v1/webhooks", more).await;
    assert_eq!((status, &problem["permission"]), (403, &json!("payments.read")), "{problem}");
    let patch = async |made: &Made, body: Value| {
        manager.patch(&made.path).json(&body).send().await.expect("an answer").status().as_u16()
    };
    assert_eq!(patch(&own, json!({ "permissions": ["payments.read"] })).await, 403);
    assert_eq!(patch(&own, json!({ "description": "billing" })).await, 200);
    // Neither what another endpoint sees, sent somewhere else.
    assert_eq!(patch(&made, json!({ "url": "https://example.com/" })).await, 403);
    assert_eq!(patch(&made, json!({ "enabled": false })).await, 200);
    assert_eq!(patch(&made, json!({ "enabled": true })).await, 403);
    for role in ["operator", "developer"] {
        let email = format!("{role}@example.test");
        let person = server.add_person(server.project, &email, &[role], &[]).await;
        assert_eq!(server.session_of(person).await.status("/api/v1/webhooks").await, 200, "{role}");
    }
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn bad_input_is_told_where_it_is(pool: PgPool) {
    let server = start(&pool).await;
    let url = "https://example.com/hook";
    for (body, pointer) in [
        (json!({}), "#/url"),
        (json!({ "url": 7 }), "#/url"),
        (json!({ "url": "" }), "#/url"),
        (json!({ "url": format!("{url}/{}", "a".repeat(2_000)) }), "#/url"),
        (json!({ "url": url, "name": "x" }), "#/name"),
        (json!({ "url": url, "types": ["parcel.packed", "Parcel"] }), "#/types/1"),
        (json!({ "url": url, "types": "parcel.*" }), "#/types"),
        (json!({ "url": url, "types": vec!["a.b"; 101] }), "#/types"),
        (json!({ "url": url, "permissions": ["everything"] }), "#/permissions/0"),
        (json!({ "url": url, "description": "two\nlines" }), "#/description"),
        (json!({ "url": url, "description": "a".repeat(501) }), "#/description"),
    ] {
        let (status, problem) = post(&server.client, "/api/v1/webhooks", body.clone()).await;
        assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!(pointer)), "{body}: {problem}");
    }
    let made = make(&server.client, json!({ "url": url })).await;
    for body in
        [json!({}), json!({ "secret": "whsec_x" }), json!({ "enabled": "no" }), json!({ "types": [""] })]
    {
        let answer = server.client.patch(&made.path).json(&body).send().await.expect("an answer");
        assert_eq!(answer.status(), 422, "{body}");
    }
    let rotate = format!("{}/rotate-secret", made.path);
    for body in [json!({ "overlapHours": 169 }), json!({ "overlapHours": -1 }), json!({ "hours": 1 })] {
        assert_eq!(post(&server.client, &rotate, body.clone()).await.0, 422, "{body}");
    }
    for _ in 0..4 {
        assert_eq!(post(&server.client, &rotate, json!({ "overlapHours": 1 })).await.0, 200);
    }
    assert_eq!(post(&server.client, &rotate, json!({ "overlapHours": 1 })).await.0, 409, "too many sign");
    for path in ["/api/v1/webhooks/x", "/api/v1/webhooks/whk_01h455vb4pex5vsknk084sn02q"] {
        assert_eq!(server.client.status(path).await, 404, "{path}");
    }
    for _ in 0..49 {
        make(&server.client, json!({ "url": url })).await;
    }
    assert_eq!(post(&server.client, "/api/v1/webhooks", json!({ "url": url })).await.0, 409, "too many");
    server.stop().await;
}
