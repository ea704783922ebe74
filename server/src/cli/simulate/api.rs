//! The part of the API that the simulator uses.

use std::fmt;
use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longest wait for an answer.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A settlement as the API answers; only what the simulator looks at.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Settlement {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) version: i64,
    pub(super) confirmations: u32,
    pub(super) required: u32,
}

#[derive(Debug, Deserialize)]
struct Page {
    settlements: Vec<Settlement>,
}

/// Why a request came to nothing.
#[derive(Debug)]
pub(super) enum ApiError {
    /// The server said no.
    Refused { status: u16, problem: String },
    /// No answer; whether the change was made is not known.
    Unreachable(String),
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { status, problem } => write!(f, "{status}: {problem}"),
            Self::Unreachable(error) => f.write_str(error),
        }
    }
}

impl std::error::Error for ApiError {}

/// A client with an API key.
pub(super) struct Api {
    client: Client,
    base: String,
    key: SecretString,
}

impl Api {
    pub(super) fn new(url: &str, key: &SecretString) -> anyhow::Result<Self> {
        let client = Client::builder().timeout(TIMEOUT).build()?;
        let base = format!("{}/api/v1/settlements", url.trim_end_matches('/'));
        Ok(Self { client, base, key: key.clone() })
    }

    /// Settlements that are on their way already, so that a restart goes on with them.
    pub(super) async fn open_settlements(&self) -> Result<Vec<Settlement>, ApiError> {
        let page: Page = self.send(self.client.get(format!("{}?limit=200", self.base))).await?;
        Ok(page.settlements)
    }

    pub(super) async fn create(&self, new: &Value) -> Result<Settlement, ApiError> {
        self.send(self.client.post(&self.base).json(new)).await
    }

    pub(super) async fn read(&self, id: &str) -> Result<Settlement, ApiError> {
        self.send(self.client.get(format!("{}/{id}", self.base))).await
    }

    pub(super) async fn make_move(&self, id: &str, body: &Value) -> Result<Settlement, ApiError> {
        self.send(self.client.post(format!("{}/{id}/moves", self.base)).json(body)).await
    }

    async fn send<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, ApiError> {
        let unreachable = |error: reqwest::Error| ApiError::Unreachable(error.to_string());
        let response = request.bearer_auth(self.key.expose_secret()).send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return response.json().await.map_err(unreachable);
        }
        let problem = response.text().await.unwrap_or_default();
        Err(ApiError::Refused { status: status.as_u16(), problem })
    }
}
