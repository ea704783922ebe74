//! A broker carries messages between the instances of a service.
//!
//! ```text
//!  one instance                       Redis: PUBLISH / SUBSCRIBE              every instance
//!  Broker::publish(bytes) ──────────▶ NATS: a JetStream stream      ────────▶ Broker::subscribe() ──▶ bytes
//! ```
//!
//! Nothing may depend on a message: a broker may lose some, and say so by ending a subscription, or not at all. Whoever
//! listens knows by the messages themselves what it lacks, and reads that from where it is kept.
//!
//! The crate knows bytes and nothing of what they say.

#[cfg(feature = "nats")]
mod nats;
#[cfg(feature = "redis")]
mod redis;
mod url;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;

#[cfg(feature = "nats")]
pub use self::nats::NatsBroker;
#[cfg(feature = "redis")]
pub use self::redis::RedisBroker;
pub use self::url::{BrokerUrl, BrokerUrlError};

/// Largest message that every broker takes, in bytes: NATS refuses what is above 1 MiB where nothing else is said.
pub const MAX_MESSAGE_BYTES: usize = 1_000_000;

/// A message was not taken, or no more are heard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BrokerError(String);

impl BrokerError {
    /// For this reason.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

/// Messages as they come; what follows an error comes on another subscription alone.
pub type Messages = BoxStream<'static, Result<Bytes, BrokerError>>;

/// Carries messages from any instance to all of them, the one that sent them among them.
pub trait Broker: std::fmt::Debug + Send + Sync + 'static {
    /// What operators call it: `redis`, `nats`.
    fn name(&self) -> &'static str;

    /// Hands a message of at most [`MAX_MESSAGE_BYTES`] over. Connects, where it is not connected.
    ///
    /// # Errors
    /// The broker cannot be reached or did not take it in time.
    fn publish(&self, message: Bytes) -> BoxFuture<'_, Result<(), BrokerError>>;

    /// What is published from the moment that this returns.
    ///
    /// # Errors
    /// The broker cannot be reached or refused.
    fn subscribe(&self) -> BoxFuture<'_, Result<Messages, BrokerError>>;
}
