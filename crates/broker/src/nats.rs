//! By [NATS JetStream](https://docs.nats.io/nats-concepts/jetstream).

use std::time::Duration;

use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::push::OrderedConfig;
use async_nats::jetstream::stream::{Config, DiscardPolicy, StorageType, Stream};
use async_nats::jetstream::{self, Context};
use async_nats::{Client, ConnectOptions};
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::{Broker, BrokerError, BrokerUrl, Messages};

/// Longest wait for a connection and for each answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long the stream keeps a message: for a consumer that has fallen behind, and no longer.
const KEPT: Duration = Duration::from_secs(60);
/// How many bytes it keeps at most, in memory.
const KEPT_BYTES: i64 = 64 * 1024 * 1024;

/// Messages on one subject, kept for a minute by a stream in memory.
#[derive(Debug)]
pub struct NatsBroker {
    url: BrokerUrl,
    /// Of the stream and of its only subject.
    name: String,
    context: Mutex<Option<Context>>,
}

impl NatsBroker {
    /// A broker by this NATS, on a stream that is this service's alone: letters, digits, `-` and `_`. Connects when it is
    /// used, and makes the stream where there is none.
    #[must_use]
    pub fn new(url: BrokerUrl, name: impl Into<String>) -> Self {
        Self { url, name: name.into(), context: Mutex::default() }
    }

    /// The present connection. One that is lost connects again by itself.
    async fn context(&self) -> Result<Context, BrokerError> {
        let mut context = self.context.lock().await;
        if let Some(context) = context.as_ref() {
            return Ok(context.clone());
        }
        let connecting = ConnectOptions::new()
            .name("tidewatch")
            .connection_timeout(PATIENCE)
            .request_timeout(Some(PATIENCE))
            .ping_interval(Duration::from_secs(2))
            .connect(self.url.as_str());
        let client: Client = timed(connecting).await?;
        let mut new = jetstream::new(client);
        new.set_timeout(PATIENCE);
        Ok(context.insert(new).clone())
    }

    async fn stream(&self) -> Result<Stream, BrokerError> {
        let config = Config {
            name: self.name.clone(),
            subjects: vec![self.name.clone()],
            storage: StorageType::Memory,
            max_age: KEPT,
            max_bytes: KEPT_BYTES,
            discard: DiscardPolicy::Old,
            ..Config::default()
        };
        timed(self.context().await?.get_or_create_stream(config)).await
    }

    /// Hands over to the stream, which is made anew where NATS has lost it: it was restarted.
    async fn publish(&self, message: Bytes) -> Result<(), BrokerError> {
        if self.publish_once(message.clone()).await.is_ok() {
            return Ok(());
        }
        self.stream().await?;
        self.publish_once(message).await
    }

    async fn publish_once(&self, message: Bytes) -> Result<(), BrokerError> {
        let context = self.context().await?;
        let acknowledged = timed(context.publish(self.name.clone(), message)).await?;
        timed(acknowledged.into_future()).await.map(drop)
    }

    async fn subscribe(&self) -> Result<Messages, BrokerError> {
        let client = self.context().await?.client();
        let config = OrderedConfig {
            deliver_subject: client.new_inbox(),
            deliver_policy: DeliverPolicy::New,
            ..OrderedConfig::default()
        };
        let consumer = timed(self.stream().await?.create_consumer(config)).await?;
        let messages = timed(consumer.messages()).await?;
        Ok(messages
            .map(|message| message.map(|message| message.payload.clone()).map_err(BrokerError::new))
            .boxed())
    }
}

/// What comes of it, within [`PATIENCE`].
async fn timed<T, E: std::fmt::Display>(work: impl Future<Output = Result<T, E>>) -> Result<T, BrokerError> {
    match timeout(PATIENCE, work).await {
        Ok(done) => done.map_err(BrokerError::new),
        Err(_) => Err(BrokerError::new("NATS does not answer")),
    }
}

impl Broker for NatsBroker {
    fn name(&self) -> &'static str {
        "nats"
    }

    fn publish(&self, message: Bytes) -> BoxFuture<'_, Result<(), BrokerError>> {
        self.publish(message).boxed()
    }

    fn subscribe(&self) -> BoxFuture<'_, Result<Messages, BrokerError>> {
        self.subscribe().boxed()
    }
}
