//! One channel, to publish to and to sign for.

use bytes::Bytes;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use tidewatch_events::{Channel, EventId, Timestamp};

use super::{Draft, Publisher, SIGN};
use crate::api::to_json;
use crate::error::Error;

/// A channel of a [`Publisher`].
#[derive(Debug, Clone)]
pub struct ChannelPublisher {
    publisher: Publisher,
    name: String,
}

/// A token with which a reader may listen to a private channel.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SignedToken {
    /// The token: the parameter `token` of a stream.
    pub token: SecretString,
    /// Until when it lets somebody in, some ten minutes from now. Who is in stays in.
    pub expires_at: Timestamp,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignRequest<'a> {
    channel_name: Channel,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
}

impl ChannelPublisher {
    pub(super) const fn new(publisher: Publisher, name: String) -> Self {
        Self { publisher, name }
    }

    /// The channel's whole name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Publishes this payload as an event of the service's own choice of type.
    ///
    /// # Errors
    /// The channel's name or the payload will not do, or the service refuses or cannot be reached after all attempts.
    pub async fn publish(&self, payload: impl Serialize) -> Result<EventId, Error> {
        self.message(payload).send().await
    }

    /// An event of this type, such as `order.created`, to be completed and sent.
    pub fn event(&self, event_type: &str, payload: impl Serialize) -> Draft {
        self.message(payload).event_type(event_type)
    }

    /// An event of the service's own choice of type, to be completed and sent.
    pub fn message(&self, payload: impl Serialize) -> Draft {
        Draft::new(self.publisher.clone(), &self.name, payload)
    }

    /// Signs a token for this channel, with an API key that has the scope `tokens.sign`. `subject` is whom it is for, by
    /// the application's own names.
    ///
    /// # Errors
    /// As [`ChannelPublisher::publish`].
    pub async fn sign(&self, subject: Option<&str>) -> Result<SignedToken, Error> {
        let request = SignRequest { channel_name: parse_name(&self.name)?, subject };
        let json: Bytes = to_json(&request)?;
        // Two tokens for one do no harm, so it needs no key.
        self.publisher.post(SIGN, json, None).await
    }
}

/// The name, unless it is none.
pub(super) fn parse_name(name: &str) -> Result<Channel, Error> {
    name.parse().map_err(|reason| Error::invalid("the channel's name", format!("`{name}` {reason}")))
}
