//! Webhooks: endpoints outside that are told of events.
//!
//! ```text
//!  published log        one transaction for up to 200 events             queue `webhooks`
//!  ┌───────────┐  by   ┌───────────────────────────────────────┐  jobs  ┌─────────────────────────┐
//!  │ position  │ ────▶ │ Dispatcher: which endpoint asked for  │ ─────▶ │ deliver_webhook: signs, │ ──▶ endpoint
//!  │ 41 42 43  │ cursor│ it and may see it → deliveries + jobs │        │ sends, notes the attempt│
//!  └───────────┘       │ and the cursor behind them            │        └─────────────────────────┘
//!                      └───────────────────────────────────────┘
//! ```
//!
//! How they are signed, sent and tried again is the business of [`tidewatch_webhooks`].

pub mod body;
pub mod dispatcher;
pub mod retention;
pub mod turns;

use secrecy::ExposeSecret;
use sqlx::{PgConnection, PgPool};
use tidewatch_events::ProjectId;
use tidewatch_events::id::WebhookId;
use tidewatch_webhooks::{Sender, SigningSecret};

use crate::access::seal::Sealer;
use crate::access::secret::Digester;
use crate::db;
use crate::error::Error;
use crate::walker::Alarm;

/// What sends webhooks. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Webhooks {
    /// Connections with all rights of the database's owner, for who dispatches and sends.
    pub pool: PgPool,
    /// Sends them.
    pub sender: Sender,
    /// Wakes the dispatcher.
    pub alarm: Alarm,
    sealer: Sealer,
}

/// Why there is nothing to sign with.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The server's own secret is another one than when they were sealed.
    #[error("the signing secret cannot be read, since the server's own secret was changed: rotate it")]
    Unreadable,
    /// Postgres refused or could not be reached.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

impl Webhooks {
    /// Sends by `sender`, with secrets that are sealed under the server's own.
    #[must_use]
    pub fn new(pool: PgPool, sender: Sender, digester: &Digester) -> Self {
        let sealer = Sealer::new(digester);
        Self { pool, sender, alarm: Alarm::default(), sealer }
    }

    /// Makes the secret by which an endpoint's webhooks are signed from now on.
    ///
    /// # Errors
    /// Postgres or the operating system refused, or the endpoint has one that has no end.
    pub async fn make_secret(
        &self,
        connection: &mut PgConnection,
        project: ProjectId,
        endpoint: WebhookId,
    ) -> Result<SigningSecret, Error> {
        let secret = SigningSecret::generate().map_err(|error| Error::Internal(error.to_string()))?;
        let sealed = self
            .sealer
            .seal(endpoint.uuid().as_bytes(), secret.reveal().expose_secret().as_bytes())
            .map_err(|error| Error::Internal(error.to_string()))?;
        db::webhooks::secrets::insert(connection, project, endpoint, &sealed).await?;
        Ok(secret)
    }

    /// What signs an endpoint's webhooks now, the newest first. On a connection of the owner: requests cannot read
    /// it.
    ///
    /// # Errors
    /// See [`SecretsError`].
    pub async fn secrets(
        &self,
        connection: &mut PgConnection,
        endpoint: WebhookId,
    ) -> Result<Vec<SigningSecret>, SecretsError> {
        let sealed = db::webhooks::secrets::signing(connection, endpoint).await?;
        let opened = sealed.iter().filter_map(|sealed| {
            let text = self.sealer.open(endpoint.uuid().as_bytes(), sealed).ok()?;
            SigningSecret::parse(&text).ok()
        });
        let opened: Vec<SigningSecret> = opened.collect();
        if opened.is_empty() { Err(SecretsError::Unreadable) } else { Ok(opened) }
    }
}
