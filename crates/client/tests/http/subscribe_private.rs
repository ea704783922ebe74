//! Secrets that are renewed for each connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tidewatch_client::Error;

use crate::events_service::{Fate, Service, arrives, connected, told_until};
use crate::publisher_service;

/// A stream that is lost once.
async fn lost_once() -> Service {
    Service::start([
        Fate::Ends(vec![connected(10), arrives(11)]),
        Fate::Stream(vec![connected(11), arrives(12)]),
    ])
    .await
}

#[tokio::test]
async fn each_connection_has_tokens_of_its_own() {
    let service = lost_once().await;
    let signed = Arc::new(AtomicU32::new(0));
    let provider = move |channel: tidewatch_client::events::Channel| {
        let number = signed.fetch_add(1, Ordering::Relaxed);
        async move { Ok(format!("{channel}.{number}").into()) }
    };
    let mut subscriber = service
        .subscriber()
        .channels(["open"])
        .private_channel("orders", provider.clone())
        .private_channel("private-returns", provider)
        .build()
        .expect("a subscriber");
    told_until(&mut subscriber, 12).await;
    assert_eq!(service.asked("channels")[1], "open,private-orders,private-returns");
    assert_eq!(
        service.asked("token"),
        ["private-orders.0,private-returns.1", "private-orders.2,private-returns.3"]
    );
}

#[tokio::test]
async fn a_publisher_signs() {
    let service = lost_once().await;
    let signer =
        publisher_service::Service::start([publisher_service::Fate::Refuse(503, "unavailable", None)]).await;
    let mut subscriber = service
        .subscriber()
        .private_channel_signed_by("orders", &signer.publisher)
        .build()
        .expect("a subscriber");
    let told = told_until(&mut subscriber, 12).await;
    assert_eq!(told[0], "the service answers 503: no", "tried again by the subscriber");
    assert_eq!(service.asked("token"), ["token-2", "token-3"]);
}

#[tokio::test]
async fn who_may_not_sign_is_told_so() {
    let service = lost_once().await;
    let signer =
        publisher_service::Service::start([publisher_service::Fate::Refuse(403, "forbidden", None)]).await;
    let mut subscriber = service
        .subscriber()
        .private_channel_signed_by("orders", &signer.publisher)
        .build()
        .expect("a subscriber");
    let notices: Vec<_> = futures::StreamExt::collect(&mut subscriber).await;
    assert!(
        matches!(notices.last(), Some(tidewatch_client::Notice::GaveUp(Error::Refused(_)))),
        "{notices:?}"
    );
    assert_eq!(service.requests().len(), 0);
}

#[tokio::test]
async fn access_tokens_are_renewed() {
    let service = lost_once().await;
    let asked = AtomicU32::new(0);
    let mut subscriber =
        service
            .subscriber()
            .access_tokens(move || {
                let number = asked.fetch_add(1, Ordering::Relaxed);
                async move {
                    if number == 1 { Err(Error::token("not now")) } else { Ok(format!("t{number}").into()) }
                }
            })
            .build()
            .expect("a subscriber");
    told_until(&mut subscriber, 12).await;
    let seen: Vec<String> = service.requests().into_iter().map(|request| request.authorization).collect();
    assert_eq!(seen, ["Bearer t0", "Bearer t2"]);
}
