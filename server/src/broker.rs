//! How published events reach the other instances beside the log: by Redis or by NATS.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt};
use subtle::ConstantTimeEq;
use tidewatch_broker::{Broker, BrokerError, Messages, NatsBroker, RedisBroker};
use tidewatch_outbox::{Carrier, RelayStatus};

use crate::access::secret::Digester;
use crate::config::ServeConfig;

/// For what the digests of messages are.
const PURPOSE: &str = "broker message";
/// Length of a digest in bytes.
const DIGEST: usize = 32;

/// What carries events between instances, as this one is told; `None`: each reads the log by itself.
///
/// Its channel is that of all instances with the same secret, so that two services can share a broker, and messages are
/// signed with that secret: who can write to the broker cannot have an event shown.
///
/// # Errors
/// The broker's address is none.
pub fn prepare(
    config: &ServeConfig,
    digester: &Digester,
    relay: Arc<RelayStatus>,
) -> Result<Option<Carrier>, BrokerError> {
    let name = channel(digester);
    let broker: Arc<dyn Broker> = match (&config.redis_url, &config.nats_url) {
        (Some(url), _) => Arc::new(Signed::new(RedisBroker::new(url, name)?, digester)),
        (None, Some(url)) => Arc::new(Signed::new(NatsBroker::new(url.clone(), name), digester)),
        (None, None) => return Ok(None),
    };
    Ok(Some(Carrier::new(broker, relay)))
}

/// `tidewatch-` and 16 hexadecimal digits.
fn channel(digester: &Digester) -> String {
    let digest = digester.digest("broker channel", &[]);
    let digits: String = digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("tidewatch-{digits}")
}

/// A broker whose messages begin with a digest of theirs; what has another is not heard.
#[derive(Debug)]
struct Signed<B> {
    broker: B,
    digester: Digester,
}

impl<B: Broker> Signed<B> {
    fn new(broker: B, digester: &Digester) -> Self {
        Self { broker, digester: digester.clone() }
    }
}

impl<B: Broker> Broker for Signed<B> {
    fn name(&self) -> &'static str {
        self.broker.name()
    }

    fn publish(&self, message: Bytes) -> BoxFuture<'_, Result<(), BrokerError>> {
        let digest = self.digester.digest(PURPOSE, &message);
        self.broker.publish([&digest[..], &message].concat().into())
    }

    fn subscribe(&self) -> BoxFuture<'_, Result<Messages, BrokerError>> {
        let digester = self.digester.clone();
        async move {
            let messages = self.broker.subscribe().await?;
            let ours = move |message: Result<Bytes, BrokerError>| {
                std::future::ready(match message {
                    Ok(message) => verified(&digester, message).map(Ok),
                    Err(error) => Some(Err(error)),
                })
            };
            Ok(messages.filter_map(ours).boxed())
        }
        .boxed()
    }
}

/// What was signed; `None` where it was not by this secret.
fn verified(digester: &Digester, mut message: Bytes) -> Option<Bytes> {
    if message.len() < DIGEST {
        return None;
    }
    let digest = message.split_to(DIGEST);
    let is_ours: bool = digester.digest(PURPOSE, &message).ct_eq(digest.as_ref()).into();
    if !is_ours {
        tracing::warn!("a message of the broker is not signed with this service's secret");
    }
    is_ours.then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digester(key: u8) -> Digester {
        Digester::new(vec![key; 32])
    }

    #[test]
    fn a_message_is_heard_under_the_same_secret_alone() {
        let digest = digester(1).digest(PURPOSE, b"what");
        let message = Bytes::from([&digest[..], b"what"].concat());
        assert_eq!(verified(&digester(1), message.clone()).as_deref(), Some(&b"what"[..]));
        assert_eq!(verified(&digester(2), message.clone()), None);
        let mut changed = message.to_vec();
        *changed.last_mut().expect("a byte") ^= 1;
        assert_eq!(verified(&digester(1), changed.into()), None);
        assert_eq!(verified(&digester(1), message.slice(..DIGEST - 1)), None);
    }

    #[test]
    fn each_secret_has_a_channel_of_its_own() {
        assert_ne!(channel(&digester(1)), channel(&digester(2)));
        let name = channel(&digester(1));
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{name}");
    }
}
