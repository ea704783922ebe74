//! Tokens for private channels.

use secrecy::ExposeSecret;
use serde_json::json;

use crate::publisher_service::{Fate, Service};

#[tokio::test]
async fn signs_for_a_subject() {
    let service = Service::start([Fate::Refuse(503, "unavailable", Some("0"))]).await;
    let channel = service.publisher.private_channel("orders");
    let signed = channel.sign(Some("customer 7")).await.expect("signed");
    assert_eq!(signed.token.expose_secret(), "token-2");
    assert_eq!(signed.expires_at.to_string(), "2026-11-20T20:43:52.832Z");
    assert_eq!(
        service.requests()[1].body,
        json!({ "channelName": "private-orders", "subject": "customer 7" })
    );
}

#[tokio::test]
async fn a_subject_is_no_must() {
    let service = Service::start([]).await;
    service.publisher.channel("private-orders").sign(None).await.expect("signed");
    assert_eq!(service.requests()[0].body, json!({ "channelName": "private-orders" }));
    assert!(!format!("{:?}", service.publisher).contains("tw_key"), "keys are not shown");
}
