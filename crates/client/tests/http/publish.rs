//! Publishing: what is sent, what is tried again, and that nothing is published twice.

use serde_json::{Value, json};
use tidewatch_client::events::{Permission, Priority, SubjectRef};
use tidewatch_client::{Error, Message, RetryPolicy};

use crate::publisher_service::{Fate, Service};

#[tokio::test]
async fn sends_the_payload_with_a_key() {
    let service = Service::start([]).await;
    service.publisher.channel("orders").publish(json!({ "a": 1 })).await.expect("published");
    let requests = service.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].authorization, "Bearer tw_key");
    assert_eq!(requests[0].body, json!({ "channelName": "orders", "payload": { "a": 1 } }));
    let key: uuid::Uuid = requests[0].key.as_ref().expect("a key").parse().expect("a UUID");
    assert_eq!(key.get_version_num(), 7);
}

#[tokio::test]
async fn sends_everything_that_a_draft_says() {
    let service = Service::start([]).await;
    let cause = service.publisher.private_channel("orders").publish(()).await.expect("published");
    service
        .publisher
        .channel("orders")
        .event("order.created", json!({}))
        .aggregate("Order", "ord_1")
        .version(3)
        .audience([SubjectRef::staff()])
        .permissions([Permission::ORDERS_READ])
        .priority(Priority::High)
        .correlation("checkout 7")
        .causation(cause)
        .occurred_at("2026-11-20T20:43:52.832Z".parse().expect("a time"))
        .idempotency_key("order-1")
        .send()
        .await
        .expect("published");
    let requests = service.requests();
    assert_eq!(requests[0].body["channelName"], "private-orders");
    assert_eq!(requests[1].key.as_deref(), Some("order-1"));
    assert_eq!(
        requests[1].body,
        json!({
            "channelName": "orders", "payload": {}, "eventType": "order.created", "aggregateType": "Order",
            "aggregateId": "ord_1", "aggregateVersion": 3, "audience": ["role:staff"],
            "permissions": ["orders.read"], "priority": "high", "correlationId": "checkout 7",
            "causationId": cause, "occurredAt": "2026-11-20T20:43:52.832Z",
        })
    );
}

#[tokio::test]
async fn an_answer_that_is_lost_publishes_nothing_twice() {
    let service = Service::start([Fate::PublishAndCut, Fate::PublishAndCut]).await;
    service.publisher.channel("orders").publish(json!(1)).await.expect("published");
    let requests = service.requests();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|request| *request == requests[0]), "the same key and payload each time");
    assert_eq!(service.published().len(), 1);
}

#[tokio::test]
async fn a_connection_that_ends_at_once_is_tried_again() {
    let service = Service::start_after(2, []).await;
    service.publisher.channel("orders").publish(json!(1)).await.expect("published");
    assert_eq!(service.published().len(), 1);
}

#[tokio::test]
async fn what_may_get_through_later_is_tried_again() {
    let service = Service::start([
        Fate::Refuse(409, "request-in-flight", Some("0")),
        Fate::Refuse(429, "too-many-publishes", Some("0")),
        Fate::Refuse(503, "unavailable", Some("0")),
        Fate::Refuse(502, "", None),
        Fate::Refuse(504, "", None),
    ])
    .await;
    service.publisher.channel("orders").publish(json!(1)).await.expect("published by the sixth attempt");
    assert_eq!(service.requests().len(), 6);
}

#[tokio::test]
async fn what_will_not_get_through_is_told_at_once() {
    for (status, kind) in [
        (400, "malformed-body"),
        (401, "unauthenticated"),
        (403, "forbidden"),
        (409, "stale-version"),
        (413, "body-too-large"),
        (422, "idempotency-key-reused"),
        (500, "internal"),
    ] {
        let service = Service::start([Fate::Refuse(status, kind, None)]).await;
        let error = service.publisher.channel("orders").publish(json!(1)).await.expect_err("refused");
        assert_eq!(error.status(), Some(status));
        assert!(error.problem().is_some_and(|problem| problem.is(kind)), "{error:?}");
        assert_eq!(service.requests().len(), 1, "{kind}");
    }
}

#[tokio::test]
async fn the_last_refusal_is_the_error() {
    let service = Service::start((0..9).map(|_| Fate::Refuse(503, "unavailable", None))).await;
    let error = service.publisher.channel("orders").publish(json!(1)).await.expect_err("refused");
    assert_eq!(error.to_string(), "the service answers 503: no");
    assert_eq!(service.requests().len(), 6);
    let once = service.publisher.clone().with_retries(RetryPolicy::NEVER);
    once.channel("orders").publish(json!(1)).await.expect_err("refused");
    assert_eq!(service.requests().len(), 7);
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_left_to_the_caller() {
    let service = Service::start([Fate::Refuse(429, "too-many-publishes", Some("3600"))]).await;
    let error = service.publisher.channel("orders").publish(json!(1)).await.expect_err("refused");
    assert_eq!(error.retry_after().map(|wait| wait.as_secs()), Some(3600));
}

#[tokio::test]
async fn nobody_there_is_no_refusal() {
    let service = Service::start([]).await;
    let publisher = service.publisher.clone().with_retries(RetryPolicy::NEVER);
    drop(service);
    tokio::task::yield_now().await;
    let error = publisher.channel("orders").publish(json!(1)).await.expect_err("nobody there");
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
    assert!(!error.to_string().contains("http://"), "an address can carry tokens: {error}");
}

#[tokio::test]
async fn what_will_not_do_is_told_before_anything_is_sent() {
    let service = Service::start([]).await;
    let orders = service.publisher.channel("orders");
    for (draft, what) in [
        (service.publisher.channel("no channel").message(1), "the channel's name"),
        (orders.event("Created", 1), "the event type"),
        (orders.event("order.created", 1).aggregate("order", 1), "the aggregate type"),
        (orders.message(1).idempotency_key("two words"), "the idempotency key"),
    ] {
        let error = draft.version(1).send().await.expect_err("will not do").to_string();
        assert!(error.starts_with(what), "{error}");
    }
    assert_eq!(service.requests(), []);
}

#[tokio::test]
async fn an_answer_that_is_none_is_no_success() {
    for answer in [json!({}), json!({ "events": [] }), json!("<html>")] {
        let service = Service::start([Fate::Answer(answer)]).await;
        let error = service.publisher.channel("orders").publish(json!(1)).await.expect_err("no ids");
        assert!(matches!(error, Error::UnexpectedAnswer(_)), "{error:?}");
    }
}

fn messages(count: usize) -> Vec<Message> {
    (0..count).map(|n| Message::new("orders".parse().expect("a name"), json!(n))).collect()
}

#[tokio::test]
async fn many_are_published_in_order_by_a_thousand() {
    let service = Service::start([Fate::PublishAndCut]).await;
    let ids = service.publisher.publish_all(messages(2_500)).await.expect("published");
    assert_eq!(ids.len(), 2_500);
    let payloads: Vec<Value> = service.published().iter().map(|event| event["payload"].clone()).collect();
    assert_eq!(payloads, (0..2_500).map(Value::from).collect::<Vec<_>>());
    let sizes: Vec<usize> =
        service.requests().iter().map(|request| request.body.as_array().map_or(0, Vec::len)).collect();
    assert_eq!(sizes, [1_000, 1_000, 1_000, 500], "the first one twice, for its answer was lost");
}

#[tokio::test]
async fn what_failed_half_way_goes_on_with_its_key() {
    let fates = [Fate::PublishAndCut, Fate::Refuse(503, "unavailable", Some("0"))];
    let service = Service::start(fates.into_iter().chain([Fate::Refuse(403, "forbidden", None)])).await;
    let error = service.publisher.publish_all(messages(1_200)).await.expect_err("refused");
    assert_eq!(error.published.len(), 0, "the first request was answered with 503 and then 403");
    assert_eq!(error.source.status(), Some(403));
    let ids =
        service.publisher.publish_all_as(&error.idempotency_key, messages(1_200)).await.expect("published");
    assert_eq!(ids.len(), 1_200);
    assert_eq!(service.published().len(), 1_200, "those of the lost answer not twice");
}
