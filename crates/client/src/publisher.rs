//! Publishing, once however often it is sent.

mod batch;
mod channel;
mod draft;
mod message;

use bytes::Bytes;
use secrecy::SecretString;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tidewatch_events::EventId;
use uuid::Uuid;

use crate::api::Api;
use crate::error::Error;
use crate::retry::RetryPolicy;

pub use batch::BatchError;
pub use channel::{ChannelPublisher, SignedToken};
pub use draft::Draft;
pub use message::Message;

const PUBLISH: &str = "/api/v1/publishers/events/publish";
const SIGN: &str = "/api/v1/publishers/sign";
/// By what the service knows a request that it has seen
/// ([draft-ietf-httpapi-idempotency-key-header](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)).
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// What a private channel's name begins with.
const PRIVATE: &str = "private";

/// Publishes events with an API key that has the scope `events.publish`.
///
/// Each publish carries an idempotency key, so that trying it again (after a lost connection, 408, 429, 502 to 504, or
/// 409 while the first request is still under way) can never publish twice.
///
/// ```no_run
/// # async fn run() -> Result<(), tidewatch_client::Error> {
/// use serde_json::json;
/// use tidewatch_client::Publisher;
///
/// let publisher = Publisher::from_env()?;
/// let orders = publisher.channel("orders");
/// orders.publish(json!({ "hello": "world" })).await?;
/// let event_id = orders
///     .event("order.created", json!({ "reference": "A-1001" }))
///     .aggregate("Order", "ord_01h455vb4pex5vsknk084sn02q")
///     .version(1)
///     .send()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Publisher {
    api: Api,
    retries: RetryPolicy,
}

/// The answer to a publish.
#[derive(Debug, Deserialize)]
struct Published {
    events: Vec<PublishedEvent>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PublishedEvent {
    event_id: EventId,
}

impl Publisher {
    /// Publishes to the service at `url`, such as `http://127.0.0.1:3000`, with this API key.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the URL is none, or the key cannot stand in a header.
    pub fn new(url: &str, api_key: impl Into<SecretString>) -> Result<Self, Error> {
        Ok(Self { api: Api::new(url, api_key)?, retries: RetryPolicy::default() })
    }

    /// The same with `TIDEWATCH_URL` and `TIDEWATCH_API_KEY` of the environment.
    ///
    /// # Errors
    /// [`Error::MissingVariable`] names the one that is not set; otherwise as [`Publisher::new`].
    pub fn from_env() -> Result<Self, Error> {
        Ok(Self { api: Api::from_env()?, retries: RetryPolicy::default() })
    }

    /// The same publisher that tries again in this way.
    #[must_use]
    pub fn with_retries(self, retries: RetryPolicy) -> Self {
        Self { retries, ..self }
    }

    /// The channel of this name. A name that is none is an error when something is published.
    #[must_use]
    pub fn channel(&self, name: impl Into<String>) -> ChannelPublisher {
        ChannelPublisher::new(self.clone(), name.into())
    }

    /// The private channel of this name, whose readers need a token: `private-` goes in front of it, unless it begins
    /// with `private` already.
    #[must_use]
    pub fn private_channel(&self, name: impl AsRef<str>) -> ChannelPublisher {
        self.channel(private_name(name.as_ref()))
    }

    /// Publishes these events, in their order, in as few requests as the service takes: up to 1,000 in each.
    ///
    /// Each request is one whole: all of its events are published, or none.
    ///
    /// # Errors
    /// The first request that failed, with the events that were published before it and with what
    /// [`Publisher::publish_all_as`] needs to go on.
    pub async fn publish_all(&self, messages: Vec<Message>) -> Result<Vec<EventId>, BatchError> {
        self.publish_all_as(&new_key(), messages).await
    }

    /// The same under an idempotency key of one's own. Called again with the same key and the same messages, it
    /// publishes only what was not published yet, and answers with all ids.
    ///
    /// # Errors
    /// As [`Publisher::publish_all`].
    pub async fn publish_all_as(
        &self,
        idempotency_key: &str,
        messages: Vec<Message>,
    ) -> Result<Vec<EventId>, BatchError> {
        batch::publish(self, idempotency_key, &messages).await
    }

    /// Publishes `json`, one message or an array, of `count` events.
    async fn send_events(&self, json: Bytes, count: usize, key: &str) -> Result<Vec<EventId>, Error> {
        let published: Published = self.post(PUBLISH, json, Some(key)).await?;
        if published.events.len() != count {
            let answered = published.events.len();
            return Err(Error::UnexpectedAnswer(format!("{answered} ids for {count} events")));
        }
        Ok(published.events.into_iter().map(|event| event.event_id).collect())
    }

    /// Sends the very same bytes with the very same key until an answer counts.
    async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        json: Bytes,
        key: Option<&str>,
    ) -> Result<T, Error> {
        if key.is_some_and(|key| !is_key(key)) {
            return Err(Error::invalid(
                "the idempotency key",
                "it must be 1 to 255 visible ASCII characters",
            ));
        }
        let mut failures = 0;
        loop {
            let mut request = self.api.post_json(path, json.clone());
            if let Some(key) = key {
                request = request.header(IDEMPOTENCY_KEY, key);
            }
            let error = match self.api.send(request).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            failures += 1;
            let Some(wait) = self.retries.wait(&error, failures, rand::random()) else { return Err(error) };
            tracing::debug!(%error, attempt = failures, ?wait, "a request failed and is tried again");
            tokio::time::sleep(wait).await;
        }
    }
}

fn is_key(text: &str) -> bool {
    (1..=255).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// A key that no request had before.
fn new_key() -> String {
    Uuid::now_v7().to_string()
}

/// The name of a private channel.
pub(crate) fn private_name(name: &str) -> String {
    if name.starts_with(PRIVATE) { name.to_owned() } else { format!("{PRIVATE}-{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_names_have_one_prefix() {
        for (name, private) in [
            ("orders", "private-orders"),
            ("private-orders", "private-orders"),
            ("private:orders", "private:orders"),
            ("", "private-"),
        ] {
            assert_eq!(private_name(name), private);
        }
    }

    #[test]
    fn keys_differ() {
        assert_ne!(new_key(), new_key());
        assert!(is_key(&new_key()) && is_key("order-7/0"));
        assert!(!["", "two words", "é", &"x".repeat(256)].into_iter().any(is_key));
    }
}
