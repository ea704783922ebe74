//! Publishing: durable, once, in order, and refused with a reason.

use std::collections::HashSet;
use std::num::NonZeroU32;

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{Client, TestServer, read_json};

async fn problem(client: &Client, body: Value) -> (u16, Value) {
    let answer = client.try_publish(&body).send().await.expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("a problem"))
}

fn pointers(problem: &Value) -> Vec<&str> {
    let errors = problem["errors"].as_array().expect("errors");
    errors.iter().map(|error| error["pointer"].as_str().expect("a pointer")).collect()
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_is_published_is_an_event_like_any_other(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let publisher = server.client_with(&["events.publish"]).await;
    let mut live = server.client.stream("?channels=orders").await;
    let plain = publisher.publish(json!({ "channelName": "orders", "payload": { "n": 1 } })).await;
    let full = json!({
        "channelName": "orders", "payload": ["anything"], "eventType": "parcel.packed", "aggregateType": "Parcel",
        "aggregateId": "p_1", "priority": "high", "occurredAt": "2026-01-02T03:04:05.678Z", "correlationId": "c-1",
        "causationId": plain[0],
    });
    let elsewhere = json!({ "channelName": "others", "payload": null });
    let ids = publisher.publish(json!([elsewhere, full])).await;

    let first = live.next().await;
    assert_eq!((first.id.as_deref(), first.event.as_str()), (Some(plain[0].as_str()), "message.published"));
    assert_eq!(
        (&first.data["payload"], &first.data["aggregateType"]),
        (&json!({ "n": 1 }), &json!("Message"))
    );
    assert!(first.data["metadata"]["actor"].as_str().expect("an actor").starts_with("key:key_"));
    let second = live.next().await;
    assert_eq!((second.id.as_deref(), second.event.as_str()), (Some(ids[1].as_str()), "parcel.packed"));
    for (field, value) in [
        ("aggregateType", json!("Parcel")),
        ("aggregateId", json!("p_1")),
        ("aggregateVersion", json!(1)),
        ("occurredAt", json!("2026-01-02T03:04:05.678Z")),
        ("payload", json!(["anything"])),
        ("position", json!(3)),
    ] {
        assert_eq!(second.data[field], value, "{field}");
    }
    assert_eq!(second.data["metadata"]["correlationId"], "c-1");
    assert_eq!(second.data["metadata"]["causationId"], plain[0].as_str());
    let mut replay = server.client.stream("?channels=orders&after=earliest").await;
    assert_eq!(replay.positions(2).await, [1, 3]);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn scopes_are_needed(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let reader = server.client_with(&["events.read"]).await;
    let (status, body) = problem(&reader, json!({ "channelName": "a", "payload": 1 })).await;
    assert_eq!((status, body["permission"].as_str()), (403, Some("events.publish")));
    let request = reader.post("/api/v1/publishers/sign").json(&json!({ "channelName": "private-a" }));
    let body = read_json(request.send().await.expect("an answer"), StatusCode::FORBIDDEN).await;
    assert_eq!(body["permission"], "tokens.sign");
    let (status, _) = problem(&server.client.anonymous(), json!({ "channelName": "a", "payload": 1 })).await;
    assert_eq!(status, 401);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn bad_input_is_told_where_and_publishes_nothing(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let good = || json!({ "channelName": "a", "payload": 1 });
    let with = |name: &str, value: Value| {
        let mut body = good();
        body[name] = value;
        body
    };
    for (body, pointer) in [
        (json!({ "payload": 1 }), "#/channelName"),
        (json!({ "channelName": "a" }), "#/payload"),
        (with("channelName", json!("a b")), "#/channelName"),
        (with("eventType", json!("Order")), "#/eventType"),
        (with("aggregateId", json!("x")), "#/aggregateType"),
        (with("aggregateType", json!("Order")), "#/aggregateId"),
        (with("aggregateVersion", json!(1)), "#/aggregateVersion"),
        (with("audience", json!(["everyone"])), "#/audience/0"),
        (with("audience", json!(["channel:private-a"])), "#/audience"),
        (with("permissions", json!(["Admin"])), "#/permissions/0"),
        (with("priority", json!("urgent")), "#/priority"),
        (with("occurredAt", json!("now")), "#/occurredAt"),
        (with("correlationId", json!("")), "#/correlationId"),
        (with("channel", json!("a")), "#/channel"),
        (with("eventType", json!("settlement.settled")), "#/eventType"),
        (json!({ "channelName": "private-a", "payload": 1, "audience": ["role:viewer"] }), "#/audience"),
        (json!([good(), { "channelName": "a" }]), "#/1/payload"),
        (json!([good(), with("eventType", json!("settlement.settled"))]), "#/1/eventType"),
        (json!([]), "#"),
        (json!(vec![good(); 1_001]), "#"),
    ] {
        let (status, problem) = problem(&server.client, body.clone()).await;
        assert_eq!((status, pointers(&problem)), (422, vec![pointer]), "{body}: {problem}");
    }
    let settlement = server.client.create("INV-1").await;
    let mut forged = good();
    forged["aggregateType"] = "Settlement".into();
    forged["aggregateId"] = settlement["id"].clone();
    let (status, told) = problem(&server.client, forged).await;
    assert_eq!((status, pointers(&told)), (422, vec!["#/aggregateType"]), "{told}");
    let order = json!({ "reference": "ORD-1", "totalMinor": 1, "currency": "EUR" });
    let order = server.client.post("/api/v1/orders").json(&order).send().await.expect("an answer");
    let order = read_json(order, StatusCode::CREATED).await;
    let mut forged = good();
    forged["aggregateType"] = "Order".into();
    forged["aggregateId"] = order["id"].clone();
    let (status, told) = problem(&server.client, forged).await;
    assert_eq!((status, pointers(&told)), (422, vec!["#/aggregateId"]), "{told}");
    // Whoever could would tell somebody of what never was, or take the version that the next step of an escalation needs.
    let id = "ntf_01h455vb4pex5vsknk084sn02q";
    let of = |kind: &str, id: &str| json!({ "channelName": "a", "payload": 1, "aggregateType": kind, "aggregateId": id });
    for (body, pointer) in [
        (with("eventType", json!("notification.sent")), "#/eventType"),
        (with("eventType", json!("notification.unheard_of")), "#/eventType"),
        (of("Notification", id), "#/aggregateType"),
        (of("Notification", "another"), "#/aggregateType"),
        (of("Parcel", id), "#/aggregateId"),
    ] {
        let (status, told) = problem(&server.client, body.clone()).await;
        assert_eq!((status, pointers(&told)), (422, vec![pointer]), "{body}: {told}");
    }
    let large = with("payload", "x".repeat(256 * 1024).into());
    assert_eq!(problem(&server.client, large).await.0, 413);
    let request = server.client.post("/api/v1/publishers/events/publish");
    let answer = request.header("content-type", "text/plain").body("{}").send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    server.all_published().await;
    let page = server.client.json("/api/v1/events?after=earliest").await;
    assert_eq!(
        page["events"].as_array().map(Vec::len),
        Some(2),
        "those of the settlement and of the order: {page}"
    );
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_hundred_requests_under_one_key_are_one_event(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let body = json!({ "channelName": "orders", "payload": { "n": 1 } });
    let send = |body: Value, key: &'static str| {
        let request = server.client.try_publish(&body).header("idempotency-key", key);
        async move {
            let answer = request.send().await.expect("an answer");
            let replayed = answer.headers().get("idempotent-replayed").map(|value| value == "true");
            let retry_after = answer.headers().contains_key("retry-after");
            let status = answer.status().as_u16();
            (status, replayed, retry_after, answer.json::<Value>().await.expect("JSON"))
        }
    };
    let answers = join_all((0..100).map(|_| send(body.clone(), "key-1"))).await;
    let mut ids = HashSet::new();
    for (status, _, retry_after, answer) in &answers {
        match status {
            202 => drop(ids.insert(answer["events"][0]["eventId"].to_string())),
            409 => {
                assert!(retry_after, "who comes too early is told when to come back");
                assert_eq!(answer["type"], "urn:tidewatch:problem:request-in-flight");
            }
            other => panic!("{other}: {answer}"),
        }
    }
    assert_eq!(ids.len(), 1, "all that were answered were told the same");
    assert_eq!(answers.iter().filter(|(_, replayed, ..)| *replayed == Some(false)).count(), 1);
    let (status, replayed, _, answer) = send(body.clone(), "\"key-1\"").await;
    assert_eq!((status, replayed), (202, Some(true)), "the quotes of a structured field are none of the key");
    assert!(ids.contains(&answer["events"][0]["eventId"].to_string()));
    let (status, _, _, answer) = send(json!({ "channelName": "orders", "payload": 2 }), "key-1").await;
    assert_eq!(status, 422);
    assert_eq!(answer["type"], "urn:tidewatch:problem:idempotency-key-reused");
    // Another publisher's keys are its own.
    let other = server.client_with(&["events.publish"]).await;
    let answer = other.try_publish(&body).header("idempotency-key", "key-1").send().await.expect("an answer");
    let answer = read_json(answer, StatusCode::ACCEPTED).await;
    assert!(!ids.contains(&answer["events"][0]["eventId"].to_string()));
    let (status, ..) = send(body, "no spaces").await;
    assert_eq!(status, 400);
    let events: i64 =
        sqlx::query_scalar("select count(*) from domain_events").fetch_one(&pool).await.expect("a count");
    assert_eq!(events, 2);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn versions_are_counted_or_checked_and_batches_do_not_block_each_other(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let of = |id: &str, version: Option<i64>| {
        let mut body = json!({
            "channelName": "orders", "payload": 1, "eventType": "parcel.moved", "aggregateType": "Parcel",
            "aggregateId": id,
        });
        if let Some(version) = version {
            body["aggregateVersion"] = version.into();
        }
        body
    };
    server.client.publish(json!([of("a", None), of("b", Some(7)), of("a", None)])).await;
    let (status, told) = problem(&server.client, of("b", Some(7))).await;
    assert_eq!((status, &told["currentVersion"]), (409, &json!(7)), "{told}");
    server.client.publish(of("b", None)).await;
    // Each in its own order: who took locks as they come would wait for each other.
    join_all((0..20).map(|number| {
        let names = if number % 2 == 0 { ["a", "b"] } else { ["b", "a"] };
        server.client.publish(names.iter().map(|name| of(name, None)).collect())
    }))
    .await;
    server.all_published().await;
    let page = server.client.json("/api/v1/events?after=earliest&limit=1000").await;
    let versions = |id: &str| -> Vec<i64> {
        let events = page["events"].as_array().expect("events");
        let of_it = events.iter().filter(|event| event["aggregateId"] == id);
        of_it.map(|event| event["aggregateVersion"].as_i64().expect("a version")).collect()
    };
    assert_eq!(versions("a"), (1..=22).collect::<Vec<_>>());
    assert_eq!(versions("b"), (7..=28).collect::<Vec<_>>());
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn cloud_events_come_in_in_every_mode_and_each_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let path = "/api/v1/publishers/events/publish";
    let event = |id: &str| {
        json!({
            "specversion": "1.0", "id": id, "source": "/shop", "type": "parcel.packed", "subject": "Parcel/p_1",
            "channelname": "orders", "data": { "n": 1 },
        })
    };
    let send = async |content_type: &str, body: Value| {
        let request = server.client.post(path).header("content-type", content_type).body(body.to_string());
        read_json(request.send().await.expect("an answer"), StatusCode::ACCEPTED).await
    };
    let first = send("application/cloudevents+json; charset=utf-8", event("1")).await;
    assert_eq!(send("application/cloudevents+json; charset=utf-8", event("1")).await, first, "once");
    let batch = send("application/cloudevents-batch+json", json!([event("2"), event("3")])).await;
    assert_eq!(batch["events"].as_array().map(Vec::len), Some(2));
    let binary = server
        .client
        .post(&format!("{path}?channelName=orders"))
        .header("content-type", "application/json")
        .header("ce-specversion", "1.0")
        .header("ce-id", "4")
        .header("ce-source", "/shop")
        .header("ce-type", "parcel.packed")
        .body("{\"n\":4}");
    read_json(binary.send().await.expect("an answer"), StatusCode::ACCEPTED).await;
    server.all_published().await;
    let request = server.client.get("/api/v1/events?channels=orders&after=earliest");
    let request = request.header("accept", "application/cloudevents-batch+json");
    let out = read_json(request.send().await.expect("an answer"), StatusCode::OK).await;
    let out: Vec<_> = out.as_array().expect("events").iter().map(|event| event["subject"].clone()).collect();
    assert_eq!(out[..3], [json!("Parcel/p_1"), json!("Parcel/p_1"), json!("Parcel/p_1")]);
    assert!(out[3].as_str().expect("a subject").starts_with("Message/msg_"));
    assert_eq!(out.len(), 4);
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn who_publishes_too_much_is_told_when_to_come_back(pool: PgPool) {
    let server = TestServer::start_with(&pool, |config| config.publishes_per_second = NonZeroU32::MIN).await;
    let batch = json!(vec![json!({ "channelName": "a", "payload": 1 }); 1_000]);
    server.client.publish(batch).await;
    let request = server.client.try_publish(&json!({ "channelName": "a", "payload": 1 }));
    let answer = request.send().await.expect("an answer");
    assert!(answer.headers().contains_key("retry-after"));
    let told = read_json(answer, StatusCode::TOO_MANY_REQUESTS).await;
    assert_eq!(
        (told["type"].as_str(), &told["limit"]),
        (Some("urn:tidewatch:problem:too-many-publishes"), &json!(1))
    );
    let other = server.client_with(&["events.publish"]).await;
    other.publish(json!({ "channelName": "a", "payload": 1 })).await;
    server.stop().await;
}
