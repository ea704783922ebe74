//! The SDK beside the server that it is for: nothing in between is made up.

use futures::StreamExt;
use serde_json::json;
use sqlx::PgPool;
use tidewatch_client::events::{Envelope, ResumePoint};
use tidewatch_client::{Error, Message, Notice, Publisher, Subscriber};

use crate::support::{TestServer, soon};

async fn next(subscriber: &mut Subscriber) -> Envelope {
    soon("an event", async {
        loop {
            match subscriber.next().await.expect("no end") {
                Notice::Event(event) => return *event,
                Notice::GaveUp(error) => panic!("{error}"),
                _ => {}
            }
        }
    })
    .await
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_a_publisher_publishes_a_subscriber_receives_also_on_private_channels(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let publisher = Publisher::new(server.base(), server.client.key()).expect("a publisher");
    let mut subscriber = Subscriber::builder(server.base())
        .api_key(server.client.key())
        .channels(["orders"])
        .private_channel_signed_by("desk", &publisher)
        .after(ResumePoint::Earliest)
        .build()
        .expect("a subscriber");
    let made = publisher.channel("orders").publish(json!({ "n": 1 })).await.expect("published");
    publisher.channel("elsewhere").publish(json!({ "n": 2 })).await.expect("published");
    publisher.private_channel("desk").publish(json!({ "n": 3 })).await.expect("published");
    let first = next(&mut subscriber).await;
    assert_eq!((first.event_id, &first.payload), (made, &json!({ "n": 1 })));
    assert_eq!(next(&mut subscriber).await.payload, json!({ "n": 3 }));
    server.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn a_subscriber_goes_on_behind_its_place_on_another_instance(pool: PgPool) {
    let one = TestServer::start(&pool).await;
    let publisher = Publisher::new(one.base(), one.client.key()).expect("a publisher");
    let on = |server: &TestServer, place: ResumePoint| {
        let subscriber = Subscriber::builder(server.base()).api_key(one.client.key()).after(place);
        subscriber.build().expect("a subscriber")
    };
    let mut before = on(&one, ResumePoint::Earliest);
    let messages: Vec<Message> =
        (0..3).map(|n| Message::new("orders".parse().expect("a channel"), json!(n))).collect();
    publisher.publish_all(messages).await.expect("published");
    assert_eq!(next(&mut before).await.payload, json!(0));
    let place = before.place();
    drop(before);
    let two = TestServer::start(&pool).await;
    let mut after = on(&two, place);
    assert_eq!(next(&mut after).await.payload, json!(1));
    assert_eq!(next(&mut after).await.payload, json!(2));
    one.stop().await;
    two.stop().await;
}

#[sqlx::test(migrator = "tidewatch_server::serve::MIGRATIONS")]
async fn what_the_server_refuses_the_sdk_tells_with_its_reason(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let reader = server.client_with(&["events.read"]).await;
    let publisher = Publisher::new(server.base(), reader.key()).expect("a publisher");
    let error = publisher.channel("orders").publish(json!(1)).await.expect_err("it may not publish");
    assert!(error.to_string().contains("events.publish"), "{error}");
    let mut stranger =
        Subscriber::builder(server.base()).api_key("tw_nobody-knows-this-key").build().expect("a subscriber");
    let refused = soon("a refusal", async {
        loop {
            if let Some(Notice::GaveUp(error)) = stranger.next().await {
                return error;
            }
        }
    })
    .await;
    assert!(Error::is_permanent(&refused), "{refused}");
    server.stop().await;
}
