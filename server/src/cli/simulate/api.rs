//! The part of the API that the simulator uses.

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use tidewatch_client::Error;

const SETTLEMENTS: &str = "/api/v1/settlements";

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

/// A client with an API key.
pub(super) struct Api(tidewatch_client::Api);

impl Api {
    pub(super) fn new(url: &str, key: &SecretString) -> Result<Self, Error> {
        tidewatch_client::Api::new(url, key.clone()).map(Self)
    }

    /// Settlements that are on their way already, so that a restart goes on with them.
    pub(super) async fn open_settlements(&self) -> Result<Vec<Settlement>, Error> {
        let page: Page = self.0.get(&format!("{SETTLEMENTS}?limit=200")).await?;
        Ok(page.settlements)
    }

    pub(super) async fn create(&self, new: &Value) -> Result<Settlement, Error> {
        self.0.post(SETTLEMENTS, new).await
    }

    pub(super) async fn read(&self, id: &str) -> Result<Settlement, Error> {
        self.0.get(&format!("{SETTLEMENTS}/{id}")).await
    }

    pub(super) async fn make_move(&self, id: &str, body: &Value) -> Result<Settlement, Error> {
        self.0.post(&format!("{SETTLEMENTS}/{id}/moves"), body).await
    }
}
