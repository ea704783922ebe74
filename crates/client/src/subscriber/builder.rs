//! What a subscriber asks for.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use secrecy::SecretString;
use tidewatch_events::{Backoff, Channel, ResumePoint};

use super::Subscriber;
use super::open::{Credential, Provider, Request};
use super::wanted::Wanted;
use crate::api::check_credential;
use crate::env::Settings;
use crate::error::Error;
use crate::http::{base_url, client, endpoint};
use crate::publisher::{Publisher, private_name};
use crate::retry::RetryPolicy;

const EVENTS: &str = "/api/v1/events";
/// Longest message of a stream of single events: a payload has 256 KiB at most.
const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// Longest message of a stream of batches: up to 500 events.
const MAX_BATCH_BYTES: usize = 160 * 1024 * 1024;

/// Puts a [`Subscriber`] together: [`Subscriber::builder`].
#[must_use = "a stream is made by `build`"]
pub struct SubscriberBuilder {
    url: String,
    credential: Option<Credential>,
    wanted: Wanted,
    private: Vec<(String, Provider<Channel>)>,
    after: ResumePoint,
    batch: Duration,
    backoff: Backoff,
}

impl std::fmt::Debug for SubscriberBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SubscriberBuilder").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Subscriber {
    /// A subscriber to the service at `url`, such as `http://127.0.0.1:3000`. It needs a key or token besides.
    pub fn builder(url: impl Into<String>) -> SubscriberBuilder {
        SubscriberBuilder {
            url: url.into(),
            credential: None,
            wanted: Wanted::default(),
            private: Vec::new(),
            after: ResumePoint::Latest,
            batch: Duration::ZERO,
            backoff: Backoff::default(),
        }
    }

    /// The same with `TIDEWATCH_URL` and `TIDEWATCH_API_KEY` of the environment.
    ///
    /// # Errors
    /// [`Error::MissingVariable`] names the one that is not set.
    pub fn from_env() -> Result<SubscriberBuilder, Error> {
        let Settings { url, api_key } = Settings::from_env()?;
        Ok(Self::builder(url).api_key(api_key))
    }
}

impl SubscriberBuilder {
    /// Reads with an API key that has the scope `events.read`.
    pub fn api_key(mut self, key: impl Into<SecretString>) -> Self {
        self.credential = Some(Credential::Fixed(key.into()));
        self
    }

    /// Reads with one access token. The stream ends for good when the token does: see [`Self::access_tokens`].
    pub fn access_token(self, token: impl Into<SecretString>) -> Self {
        self.api_key(token)
    }

    /// Reads with access tokens, a new one for each connection. A failure that is not permanent
    /// ([`Error::is_permanent`]) is tried again.
    pub fn access_tokens<F>(mut self, provider: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<SecretString, Error>> + Send + 'static,
    {
        self.credential = Some(Credential::Renewed(Arc::new(move |()| provider().boxed())));
        self
    }

    /// Only events of these types: `order.created`, `order.*`.
    pub fn types(mut self, types: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.wanted.types.extend(types.into_iter().map(Into::into));
        self
    }

    /// Only events of these kinds of aggregates: `Settlement`.
    pub fn resource_types(mut self, kinds: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.wanted.resource_types.extend(kinds.into_iter().map(Into::into));
        self
    }

    /// Only events of this aggregate.
    pub fn resource_id(mut self, id: impl Into<String>) -> Self {
        self.wanted.resource_id = Some(id.into());
        self
    }

    /// Only events on these channels, the private ones included.
    pub fn channels(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.wanted.channels.extend(names.into_iter().map(Into::into));
        self
    }

    /// Also events on this private channel; `private-` goes in front of its name, unless it begins with `private`.
    /// `provider` signs a token for each connection: a token lets in for ten minutes.
    pub fn private_channel<F>(
        mut self,
        name: impl AsRef<str>,
        provider: impl Fn(Channel) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<SecretString, Error>> + Send + 'static,
    {
        let provider: Provider<Channel> = Arc::new(move |channel| provider(channel).boxed());
        self.private.push((private_name(name.as_ref()), provider));
        self
    }

    /// The same, signed by a publisher with the scope `tokens.sign`.
    pub fn private_channel_signed_by(self, name: impl AsRef<str>, publisher: &Publisher) -> Self {
        // The subscriber tries again by itself.
        let publisher = publisher.clone().with_retries(RetryPolicy::NEVER);
        self.private_channel(name, move |channel| {
            let channel = publisher.channel(channel.as_str());
            async move { Ok(channel.sign(None).await?.token) }
        })
    }

    /// Where to begin; without it, with what is published from now on. [`Subscriber::place`] says where one was.
    pub fn after(mut self, place: ResumePoint) -> Self {
        self.after = place;
        self
    }

    /// Lets the service gather events for so long, up to a second, and send them together: less work for both where
    /// many come.
    pub fn batch(mut self, window: Duration) -> Self {
        self.batch = window;
        self
    }

    /// How long to wait between attempts.
    pub fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// The stream. Nothing is sent before it is polled.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the URL, the key or a part of the filter will not do, or there is no key.
    pub fn build(self) -> Result<Subscriber, Error> {
        let base = base_url(&self.url)?;
        let credential = self
            .credential
            .ok_or_else(|| Error::invalid("the subscriber", "it has neither API key nor access token"))?;
        if let Credential::Fixed(secret) = &credential {
            check_credential(secret)?;
        }
        let mut wanted = self.wanted;
        let mut private = Vec::with_capacity(self.private.len());
        for (name, provider) in self.private {
            let channel: Channel = name
                .parse()
                .map_err(|reason| Error::invalid("the channel's name", format!("`{name}` {reason}")))?;
            wanted.channels.push(name);
            private.push((channel, provider));
        }
        let batch = u64::try_from(self.batch.as_millis()).unwrap_or(u64::MAX);
        let mut parameters = wanted.parameters()?;
        if batch > 0 {
            parameters.push(("batch", batch.to_string()));
        }
        let mut url = endpoint(&base, EVENTS);
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        let limit = if batch > 0 { MAX_BATCH_BYTES } else { MAX_MESSAGE_BYTES };
        let request = Request { client: client(&base)?, url, credential, private };
        Ok(Subscriber::new(Box::new(request), self.after, self.backoff, limit))
    }
}
