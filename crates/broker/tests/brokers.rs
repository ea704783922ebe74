//! Real brokers on this machine: what is published is heard, also once they have been restarted.
//!
//! Where a machine has no `redis-server` or `nats-server`, its test says so and looks at nothing.

#![cfg(all(feature = "redis", feature = "nats"))]

mod program;

use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use tidewatch_broker::{Broker, MAX_MESSAGE_BYTES, Messages, NatsBroker, RedisBroker};
use tokio::time::timeout;

use program::Program;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

async fn subscribed(broker: &dyn Broker) -> Messages {
    let subscribing = async {
        loop {
            match broker.subscribe().await {
                Ok(messages) => return messages,
                // It has not started yet.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    timeout(PATIENCE, subscribing).await.expect("it can be subscribed to")
}

async fn published(broker: &dyn Broker, message: &Bytes) {
    let publishing = async {
        while broker.publish(message.clone()).await.is_err() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, publishing).await.expect("it takes a message");
}

async fn next(messages: &mut Messages) -> Bytes {
    timeout(PATIENCE, messages.next()).await.expect("in time").expect("a message").expect("no error")
}

/// What every broker does; `make` makes one as another process would.
async fn carries(program: &Program, make: impl Fn() -> Box<dyn Broker>) {
    let (one, other) = (make(), make());
    one.publish(Bytes::from_static(b"x")).await.expect_err("it does not run");
    assert!(other.subscribe().await.is_err(), "it does not run");

    let mut running = program.start();
    let (mut first, mut second) = (subscribed(&*one).await, subscribed(&*other).await);
    let large = Bytes::from(vec![b'\n'; MAX_MESSAGE_BYTES]);
    let sent = [Bytes::new(), Bytes::from_static(b"\0\xff"), large];
    for message in &sent {
        published(&*one, message).await;
    }
    for messages in [&mut first, &mut second] {
        for message in &sent {
            assert!(
                next(messages).await == *message,
                "all of them, as they are, in order, also to who sent them"
            );
        }
    }

    running.kill().await.expect("killed");
    // Some say that it has gone; whoever listens gives those that say nothing a time of its own.
    let _running = program.start();
    let mut again = subscribed(&*other).await;
    published(&*one, &sent[1]).await;
    assert_eq!(next(&mut again).await, sent[1], "as before, once it is back");
}

#[tokio::test]
async fn redis_carries_messages() {
    let Some(program) = Program::redis() else {
        println!("left out: there is no redis-server on this machine");
        return;
    };
    let url = program.url();
    carries(&program, || Box::new(RedisBroker::new(&url, "tidewatch-test").expect("an address"))).await;
}

#[tokio::test]
async fn a_lost_subscription_of_redis_says_so() {
    let Some(program) = Program::redis() else {
        println!("left out: there is no redis-server on this machine");
        return;
    };
    let broker = RedisBroker::new(&program.url(), "tidewatch-test").expect("an address");
    let mut running = program.start();
    let mut messages = subscribed(&broker).await;
    running.kill().await.expect("killed");
    let end = timeout(PATIENCE, messages.next()).await.expect("in time").expect("a word");
    end.expect_err("that it has ended");
}

#[tokio::test]
async fn nats_carries_messages() {
    let Some(program) = Program::nats() else {
        println!("left out: there is no nats-server on this machine");
        return;
    };
    let url = program.url();
    carries(&program, || Box::new(NatsBroker::new(url.clone(), "tidewatch-test"))).await;
}
