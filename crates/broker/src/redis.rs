//! By [Redis Pub/Sub](https://redis.io/docs/latest/develop/interact/pubsub/).

use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, cmd};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::{Broker, BrokerError, BrokerUrl, Messages};

/// Longest wait for a connection and for each answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Messages on one channel of a Redis.
#[derive(Debug)]
pub struct RedisBroker {
    client: Client,
    channel: String,
    /// What is published goes over one connection, in its order.
    publishing: Mutex<Option<MultiplexedConnection>>,
}

impl RedisBroker {
    /// A broker by this Redis, on a channel that is this service's alone. Connects when it is used.
    ///
    /// # Errors
    /// The address is none of Redis.
    pub fn new(url: &BrokerUrl, channel: impl Into<String>) -> Result<Self, BrokerError> {
        let client = Client::open(url.as_str()).map_err(BrokerError::new)?;
        Ok(Self { client, channel: channel.into(), publishing: Mutex::default() })
    }

    async fn connect(&self) -> Result<MultiplexedConnection, BrokerError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        connecting.await.map_err(BrokerError::new)
    }

    async fn publish(&self, message: Bytes) -> Result<(), BrokerError> {
        let mut publishing = self.publishing.lock().await;
        let mut connection = match publishing.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut publish = cmd("PUBLISH");
        publish.arg(&self.channel).arg(message.as_ref());
        // Where it fails, the next one connects anew.
        publish.query_async::<()>(&mut connection).await.map_err(BrokerError::new)?;
        *publishing = Some(connection);
        Ok(())
    }

    async fn subscribe(&self) -> Result<Messages, BrokerError> {
        let subscribing = async {
            let mut pubsub = self.client.get_async_pubsub().await?;
            pubsub.subscribe(&self.channel).await?;
            Ok(pubsub)
        };
        let pubsub = timeout(PATIENCE, subscribing)
            .await
            .map_err(|_| BrokerError::new("Redis does not answer"))?
            .map_err(|error: redis::RedisError| BrokerError::new(error))?;
        let messages =
            pubsub.into_on_message().map(|message| Ok(Bytes::copy_from_slice(message.get_payload_bytes())));
        let ended = futures::stream::once(async { Err(BrokerError::new("Redis has ended the connection")) });
        Ok(messages.chain(ended).boxed())
    }
}

impl Broker for RedisBroker {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn publish(&self, message: Bytes) -> BoxFuture<'_, Result<(), BrokerError>> {
        self.publish(message).boxed()
    }

    fn subscribe(&self) -> BoxFuture<'_, Result<Messages, BrokerError>> {
        self.subscribe().boxed()
    }
}
