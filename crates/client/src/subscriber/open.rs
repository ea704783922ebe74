//! The request for a stream.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::{BoxFuture, try_join_all};
use futures::stream::{BoxStream, StreamExt};
use futures::{FutureExt, TryStreamExt};
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret, SecretString};
use tidewatch_events::{Channel, ResumePoint};

use crate::api::check_credential;
use crate::error::Error;
use crate::http::{accepted, unreachable};

/// Media type of a stream.
const EVENT_STREAM: &str = "text/event-stream";

/// The bytes of an open stream.
pub(super) type ByteStream = BoxStream<'static, Result<Bytes, Error>>;
/// A stream that is being opened.
pub(super) type Opening = BoxFuture<'static, Result<ByteStream, Error>>;

/// Opens streams.
pub(super) trait Opener: Send + Sync {
    /// One that goes on behind this place.
    fn open(&self, after: ResumePoint) -> Opening;
}

/// Gives a secret that is used for one connection.
pub(super) type Provider<T> = Arc<dyn Fn(T) -> BoxFuture<'static, Result<SecretString, Error>> + Send + Sync>;

/// How the reader shows who it is.
#[derive(Clone)]
pub(super) enum Credential {
    /// An API key, or a token that is not renewed.
    Fixed(SecretString),
    /// Access tokens, a new one for each connection.
    Renewed(Provider<()>),
}

/// What is asked for each time.
#[derive(Clone)]
pub(super) struct Request {
    pub(super) client: Client,
    /// With all parameters that stay the same.
    pub(super) url: Url,
    pub(super) credential: Credential,
    /// Private channels, each with what signs for it.
    pub(super) private: Vec<(Channel, Provider<Channel>)>,
}

impl Opener for Request {
    fn open(&self, after: ResumePoint) -> Opening {
        let request = self.clone();
        async move { request.send(after).await }.boxed()
    }
}

impl Request {
    async fn send(self, after: ResumePoint) -> Result<ByteStream, Error> {
        let credential = match &self.credential {
            Credential::Fixed(secret) => secret.clone(),
            Credential::Renewed(provider) => provider(()).await?,
        };
        check_credential(&credential)?;
        let tokens =
            try_join_all(self.private.iter().map(|(channel, provider)| provider(channel.clone()))).await?;
        let mut url = self.url;
        url.query_pairs_mut().append_pair("after", &after.to_string());
        if !tokens.is_empty() {
            let list: Vec<&str> = tokens.iter().map(|token| token.expose_secret()).collect();
            url.query_pairs_mut().append_pair("token", &list.join(","));
        }
        let request =
            self.client.get(url).bearer_auth(credential.expose_secret()).header(ACCEPT, EVENT_STREAM);
        let response = accepted(request.send().await.map_err(unreachable)?).await?;
        let content_type = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
        if !essence.eq_ignore_ascii_case(EVENT_STREAM) {
            return Err(Error::UnexpectedAnswer(format!("`{essence}` is no stream of events")));
        }
        Ok(response.bytes_stream().map_err(unreachable).boxed())
    }
}
