//! What the commands on people and keys share: the database, the secret, the project, the audit log.

use anyhow::Context;
use clap::Args;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use tidewatch_events::ProjectId;

use super::answer::AnswerFormat;
use crate::access::secret::{Digester, random_bytes};
use crate::config::{DatabaseConfig, parse_secret};
use crate::db;
use crate::db::audit::NewAuditEntry;
use crate::serve::connect;

/// Under which name the audit log keeps what is done at the terminal.
pub(super) const ACTOR: &str = "system:cli";

/// Where to work.
#[derive(Debug, Args)]
pub(super) struct Office {
    #[command(flatten)]
    database: DatabaseConfig,
    #[command(flatten)]
    format: AnswerFormat,

    /// Key of the digests, as the server has it
    #[arg(long, env = "TIDEWATCH_SECRET", hide_env_values = true, value_parser = parse_secret)]
    secret: Option<SecretString>,

    /// The project, by its name in addresses
    #[arg(long, env = "TIDEWATCH_PROJECT", default_value = "demo")]
    project: String,
}

impl Office {
    pub(super) fn pool(&self) -> PgPool {
        connect(&self.database)
    }

    pub(super) const fn format(&self) -> AnswerFormat {
        self.format
    }

    pub(super) fn project_slug(&self) -> &str {
        &self.project
    }

    pub(super) async fn project(&self, connection: &mut PgConnection) -> anyhow::Result<ProjectId> {
        db::projects::find_by_slug(connection, &self.project)
            .await?
            .with_context(|| format!("there is no project `{}`", self.project))
    }

    pub(super) async fn digester(&self, pool: &PgPool) -> anyhow::Result<Digester> {
        Ok(Digester::new(match &self.secret {
            Some(secret) => secret.expose_secret().as_bytes().to_vec(),
            None => db::secrets::ensure(pool, "digests", &random_bytes()).await?,
        }))
    }
}

/// Notes a change.
pub(super) async fn note(
    connection: &mut PgConnection,
    project: ProjectId,
    action: &str,
    target: &str,
    target_name: &str,
    before: Option<Value>,
    after: Option<Value>,
) -> anyhow::Result<()> {
    let entry = NewAuditEntry {
        project,
        actor: ACTOR,
        actor_name: "tidewatch at a terminal",
        action,
        target,
        target_name,
        before,
        after,
        request_id: "",
    };
    Ok(db::audit::insert(connection, &entry).await?)
}
