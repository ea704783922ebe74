//! The part of the API that the simulator uses.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tidewatch_client::Error;

/// A record as the API answers.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Record {
    pub(super) id: String,
    pub(super) status: String,
    pub(super) version: i64,
    #[serde(flatten)]
    pub(super) fields: Map<String, Value>,
}

impl Record {
    pub(super) fn number(&self, name: &str) -> i64 {
        self.fields.get(name).and_then(Value::as_i64).unwrap_or_default()
    }

    pub(super) fn text(&self, name: &str) -> &str {
        self.fields.get(name).and_then(Value::as_str).unwrap_or_default()
    }
}

/// Somebody in the project, or asked to be.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) email: String,
}

/// What a change of the project came to.
#[derive(Debug, Deserialize)]
pub(super) struct Changed {
    /// An invitation's link.
    #[serde(default)]
    pub(super) secret: Option<String>,
}

/// Longest wait for the answer to a form: a password is hashed meanwhile.
const FORM_TIMEOUT: Duration = Duration::from_secs(30);

/// A client with an API key.
pub(super) struct Api {
    api: tidewatch_client::Api,
    /// For the one thing that is no key's business: somebody who was invited joins.
    browser: reqwest::Client,
    url: String,
}

impl Api {
    pub(super) fn new(url: &str, key: &SecretString) -> anyhow::Result<Self> {
        // Where a form leads to is not looked at; a proxy of the environment is for the world outside.
        let browser = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(FORM_TIMEOUT)
            .no_proxy()
            .build()?;
        let api = tidewatch_client::Api::new(url, key.clone())?;
        Ok(Self { api, browser, url: url.trim_end_matches('/').to_owned() })
    }

    /// Who is in the project.
    pub(super) async fn people(&self) -> Result<Vec<Person>, Error> {
        self.listed("people").await
    }

    /// Who was asked to join.
    pub(super) async fn invitations(&self) -> Result<Vec<Person>, Error> {
        self.listed("invitations").await
    }

    async fn listed(&self, what: &str) -> Result<Vec<Person>, Error> {
        let mut page: Map<String, Value> = self.api.get(&format!("/api/v1/{what}")).await?;
        Ok(serde_json::from_value(page.remove(what).unwrap_or_default()).unwrap_or_default())
    }

    /// Asks somebody to join; the link.
    pub(super) async fn invite(&self, email: &str, roles: &[&str]) -> Result<Option<String>, Error> {
        let new = json!({ "email": email, "roles": roles });
        self.api.post::<Changed>("/api/v1/invitations", &new).await.map(|changed| changed.secret)
    }

    pub(super) async fn cancel_invitation(&self, id: &str) -> Result<(), Error> {
        self.api.delete::<Changed>(&format!("/api/v1/invitations/{id}")).await.map(drop)
    }

    pub(super) async fn set_roles(&self, person: &str, roles: &[&str]) -> Result<(), Error> {
        let change = json!({ "roles": roles });
        self.api.patch::<Changed>(&format!("/api/v1/people/{person}"), &change).await.map(drop)
    }

    /// Fills in the form behind an invitation's link, as whoever was sent it. Says whether that could be sent.
    pub(super) async fn join(&self, link: &str, name: &str, password: &SecretString) -> bool {
        let token = link.split_once("token=").map_or(link, |(_, token)| token);
        let form = [("token", token), ("name", name), ("password", password.expose_secret())];
        let Ok(form) = serde_urlencoded::to_string(form) else { return false };
        let request = self.browser.post(format!("{}/invitation", self.url));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        request.send().await.is_ok_and(|answer| answer.status().is_redirection())
    }

    /// The newest records, so that a restart goes on with them.
    pub(super) async fn newest(&self, module: &str) -> Result<Vec<Record>, Error> {
        let mut page: Map<String, Value> = self.api.get(&format!("/api/v1/{module}?limit=200")).await?;
        let records = page.remove(module).unwrap_or_default();
        Ok(serde_json::from_value(records).unwrap_or_default())
    }

    pub(super) async fn create(&self, module: &str, new: &Value) -> Result<Record, Error> {
        self.api.post(&format!("/api/v1/{module}"), new).await
    }

    pub(super) async fn read(&self, module: &str, id: &str) -> Result<Record, Error> {
        self.api.get(&format!("/api/v1/{module}/{id}")).await
    }

    pub(super) async fn make_move(&self, module: &str, id: &str, body: &Value) -> Result<Record, Error> {
        self.api.post(&format!("/api/v1/{module}/{id}/moves"), body).await
    }
}
