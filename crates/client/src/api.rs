//! The HTTP core: JSON requests with an API key.

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderValue};
use reqwest::{Client, Method, RequestBuilder, Url};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::env::Settings;
use crate::error::Error;
use crate::http::{accepted, base_url, client, endpoint, unreachable};

/// Longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Calls the service's API with an API key or an access token. It tries each request once.
///
/// ```no_run
/// # async fn run() -> Result<(), tidewatch_client::Error> {
/// let api = tidewatch_client::Api::from_env()?;
/// let settlement: serde_json::Value = api.get("/api/v1/settlements/stl_01h455vb4pex5vsknk084sn02q").await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    base: Url,
    key: SecretString,
}

impl Api {
    /// Calls the service at `url`, such as `http://127.0.0.1:3000`, with this key.
    ///
    /// # Errors
    /// [`Error::Invalid`]: the URL is none, or the key cannot stand in a header.
    pub fn new(url: &str, key: impl Into<SecretString>) -> Result<Self, Error> {
        let (base, key) = (base_url(url)?, key.into());
        check_credential(&key)?;
        Ok(Self { client: client(&base)?, base, key })
    }

    /// The same with `TIDEWATCH_URL` and `TIDEWATCH_API_KEY` of the environment.
    ///
    /// # Errors
    /// [`Error::MissingVariable`] names the one that is not set; otherwise as [`Api::new`].
    pub fn from_env() -> Result<Self, Error> {
        let Settings { url, api_key } = Settings::from_env()?;
        Self::new(&url, api_key)
    }

    /// Reads what is at `path`, such as `/api/v1/settlements?limit=20`.
    ///
    /// # Errors
    /// The service refuses, cannot be reached, or answers something else than `T`.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.send(self.request(Method::GET, path)).await
    }

    /// Sends `body` as JSON to `path`.
    ///
    /// # Errors
    /// As [`Api::get`]; [`Error::Invalid`] when the body cannot be written as JSON.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        self.send(self.post_json(path, to_json(body)?)).await
    }

    /// Changes what is at `path` by `body`, sent as JSON.
    ///
    /// # Errors
    /// As [`Api::post`].
    pub async fn patch<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Error> {
        self.send(self.with_json(Method::PATCH, path, to_json(body)?)).await
    }

    /// Deletes what is at `path`.
    ///
    /// # Errors
    /// As [`Api::get`].
    pub async fn delete<T: DeserializeOwned>(&self, path: &str) -> Result<T, Error> {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A request with a body that is JSON already.
    pub(crate) fn post_json(&self, path: &str, json: Bytes) -> RequestBuilder {
        self.with_json(Method::POST, path, json)
    }

    fn with_json(&self, method: Method, path: &str, json: Bytes) -> RequestBuilder {
        self.request(method, path).header(CONTENT_TYPE, "application/json").body(json)
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client
            .request(method, endpoint(&self.base, path))
            .bearer_auth(self.key.expose_secret())
            .timeout(TIMEOUT)
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, Error> {
        let response = accepted(request.send().await.map_err(unreachable)?).await?;
        let body = response.bytes().await.map_err(unreachable)?;
        serde_json::from_slice(&body).map_err(|error| Error::UnexpectedAnswer(error.to_string()))
    }
}

/// The value as JSON.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Bytes, Error> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(|error| Error::invalid("the body", format!("it cannot be written as JSON: {error}")))
}

/// Refuses what cannot stand in a header, before anything is sent.
pub(crate) fn check_credential(key: &SecretString) -> Result<(), Error> {
    let text = key.expose_secret();
    if text.is_empty() || HeaderValue::from_str(text).is_err() {
        return Err(Error::invalid("the API key or token", "it is empty, or has characters that none has"));
    }
    Ok(())
}
