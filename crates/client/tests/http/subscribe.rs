//! Following the stream over real connections.

use std::time::Duration;

use futures::StreamExt;
use tidewatch_client::events::ResumePoint;
use tidewatch_client::{Error, Notice, Subscriber};

use crate::events_service::{Fate, Service, arrives, connected, id, told_until};

#[tokio::test]
async fn goes_on_behind_the_last_event_and_gives_none_twice() {
    let service = Service::start([
        Fate::Ends(vec![connected(10), arrives(11), arrives(12), arrives(13)[..50].to_owned()]),
        Fate::Ends(vec![connected(12), arrives(12), arrives(13)]),
        Fate::Stream(vec![connected(13), arrives(13), arrives(14)]),
    ])
    .await;
    let mut subscriber = service.subscriber().build().expect("a subscriber");
    let end = "the stream ended";
    assert_eq!(
        told_until(&mut subscriber, 14).await,
        ["live", "11", "12", end, "live", "13", end, "live", "14"]
    );
    assert_eq!(service.asked("after"), ["latest".to_owned(), id(12), id(13)]);
}

#[tokio::test]
async fn what_may_get_better_is_tried_again() {
    let service = Service::start([
        Fate::Refuse(503, "unavailable", Some("0")),
        Fate::Refuse(429, "too-many-streams", Some("0")),
        Fate::Refuse(500, "internal", None),
        Fate::Page,
        Fate::Cut,
        Fate::Stream(vec![connected(10), arrives(11)]),
    ])
    .await;
    let mut subscriber = service.subscriber().build().expect("a subscriber");
    let told = told_until(&mut subscriber, 11).await;
    assert_eq!(told.len(), 7, "{told:?}");
    assert_eq!(told[0], "the service answers 503: no");
    assert!(told[3].contains("is no stream of events"), "{}", told[3]);
    assert_eq!(told[5..], ["live", "11"]);
}

#[tokio::test]
async fn gives_up_on_what_stays_wrong_and_says_why() {
    for status in [400, 401, 403, 406] {
        let service = Service::start([Fate::Refuse(status, "forbidden", None)]).await;
        let mut subscriber = service.subscriber().build().expect("a subscriber");
        let last = loop {
            match subscriber.next().await {
                Some(Notice::GaveUp(error)) => break error,
                Some(_) => {}
                None => panic!("ended without a reason"),
            }
        };
        assert_eq!(last.to_string(), format!("the service answers {status}: no"));
        assert!(subscriber.next().await.is_none());
        assert_eq!(service.requests().len(), 1);
    }
}

#[tokio::test]
async fn asks_for_what_it_wants() {
    let service = Service::start([Fate::Stream(vec![connected(7), arrives(8)])]).await;
    let mut subscriber = service
        .subscriber()
        .types(["order.*", "payment.captured"])
        .resource_types(["Order"])
        .resource_id("ord_1")
        .channels(["orders", "returns"])
        .batch(Duration::from_millis(250))
        .after("7".parse().expect("a place"))
        .build()
        .expect("a subscriber");
    told_until(&mut subscriber, 8).await;
    let request = &service.requests()[0];
    for (name, value) in [
        ("types", "order.*,payment.captured"),
        ("resourceTypes", "Order"),
        ("resourceId", "ord_1"),
        ("channels", "orders,returns"),
        ("batch", "250"),
        ("after", "7"),
    ] {
        assert_eq!(request.parameters.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(request.parameters.len(), 6);
    assert_eq!(request.authorization, "Bearer tw_key");
    assert_eq!(request.accept, "text/event-stream");
}

#[tokio::test]
async fn a_place_that_was_kept_reads_back() {
    let service = Service::start([
        Fate::Stream(vec![connected(10), arrives(11)]),
        Fate::Stream(vec![connected(11), arrives(12)]),
    ])
    .await;
    let mut first = service.subscriber().build().expect("a subscriber");
    told_until(&mut first, 11).await;
    let kept = first.place().to_string();
    drop(first);
    let place: ResumePoint = kept.parse().expect("a place");
    let mut second = service.subscriber().after(place).build().expect("a subscriber");
    told_until(&mut second, 12).await;
    assert_eq!(service.asked("after"), ["latest".to_owned(), id(11)]);
}

#[tokio::test]
async fn an_instance_that_goes_down_is_left_for_the_next() {
    let last_words = "event: system_message\ndata: \
        {\"code\":\"ServerDraining\",\"message\":\"\",\"data\":{\"retryMs\":0}}\n\n";
    let service = Service::start([
        Fate::Stream(vec![connected(10), arrives(11), last_words.to_owned()]),
        Fate::Stream(vec![connected(11), arrives(12)]),
    ])
    .await;
    let mut subscriber = service.subscriber().build().expect("a subscriber");
    let told = told_until(&mut subscriber, 12).await;
    assert!(told.contains(&"the instance is going down".to_owned()), "{told:?}");
    assert_eq!(service.asked("after")[1], id(11));
}

#[test]
fn what_will_not_do_is_told_before_anything_is_sent() {
    let builder = || Subscriber::builder("http://127.0.0.1:1").api_key("tw_key");
    for (built, what) in [
        (Subscriber::builder("nowhere").api_key("tw_key").build(), "the service's URL"),
        (Subscriber::builder("http://127.0.0.1:1").build(), "the subscriber"),
        (builder().api_key("two\nlines").build(), "the API key or token"),
        (builder().types(["Order"]).build(), "types"),
        (builder().channels(["a b"]).build(), "channels"),
        (
            builder().private_channel("a b", |_| async { Err(Error::token("never asked")) }).build(),
            "the channel",
        ),
    ] {
        let error = built.expect_err("will not do").to_string();
        assert!(error.starts_with(what), "{error}");
    }
}
