//! `tidewatch keys`

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use sqlx::{PgConnection, PgPool};
use tidewatch_app::model::ApiKey;
use tidewatch_events::ProjectId;
use tidewatch_events::id::ApiKeyId;

use super::answer::Answer;
use super::office::{ACTOR, Office, note};
use crate::commands::keys::{Maker, check, find, make, remove, replace};
use crate::db;
use crate::domain::Modules;

#[derive(Debug, Args)]
pub(super) struct Keys {
    #[command(flatten)]
    office: Office,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the project's keys
    List,
    /// Make a key and print it, once
    Create {
        /// What it is called
        name: String,
        /// A scope, such as events.read; may be given more than once
        #[arg(long = "scope", required = true)]
        scopes: Vec<String>,
        /// Days until it ends by itself
        #[arg(long)]
        expires_in_days: Option<u32>,
    },
    /// Make a key that takes another's place and print it, once
    Rotate {
        /// The old key's id
        id: ApiKeyId,
        /// Hours for which the old key counts yet
        #[arg(long, default_value_t = 24)]
        overlap_hours: u32,
    },
    /// Delete a key: it counts no longer, and what it opened is cut off within seconds
    Delete {
        /// The key's id
        id: ApiKeyId,
    },
}

pub(super) async fn run(command: Keys, modules: &Modules) -> anyhow::Result<()> {
    let pool = command.office.pool();
    let mut transaction = pool.begin().await.context("cannot reach Postgres; is DATABASE_URL right?")?;
    let project = command.office.project(&mut transaction).await?;
    let answer = act(&mut transaction, &pool, project, modules, &command.office, command.action).await?;
    transaction.commit().await?;
    answer.say(command.office.format());
    Ok(())
}

async fn act(
    connection: &mut PgConnection,
    pool: &PgPool,
    project: ProjectId,
    modules: &Modules,
    office: &Office,
    action: Action,
) -> anyhow::Result<Answer> {
    match action {
        Action::List => {
            let keys = db::api_keys::list(connection, project, None).await?;
            Ok(Answer::new(keys.iter().map(describe), json!({ "keys": keys })))
        }
        Action::Create { name, scopes, expires_in_days } => {
            let name = name.trim();
            let scopes = check(modules, name, scopes, expires_in_days)?;
            let digester = office.digester(pool).await?;
            let maker = Maker { digester: &digester, project, name: ACTOR, person: None };
            let (key, secret) = make(connection, maker, name, &scopes, expires_in_days).await?;
            let id = key.id.to_string();
            note(connection, project, "api_key.create", &id, name, None, Some(json!(key))).await?;
            Ok(Answer::new([secret.to_string()], json!({ "key": key, "secret": secret.to_string() })))
        }
        Action::Rotate { id, overlap_hours } => {
            let old = find(connection, project, id).await.with_context(|| missing(id))?;
            let digester = office.digester(pool).await?;
            let maker = Maker { digester: &digester, project, name: ACTOR, person: None };
            let (key, secret) = replace(connection, maker, &old, overlap_hours).await?;
            let after = find(connection, project, id).await?;
            let (before, after) = (Some(json!(old)), Some(json!(after)));
            note(connection, project, "api_key.rotate", &id.to_string(), &old.name, before, after).await?;
            Ok(Answer::new([secret.to_string()], json!({ "key": key, "secret": secret.to_string() })))
        }
        Action::Delete { id } => {
            let old = find(connection, project, id).await.with_context(|| missing(id))?;
            remove(connection, project, id).await?;
            let before = Some(json!(old));
            note(connection, project, "api_key.delete", &id.to_string(), &old.name, before, None).await?;
            Ok(Answer::new([format!("{id} ({}) is deleted.", old.name)], json!({ "deleted": id })))
        }
    }
}

fn describe(key: &ApiKey) -> String {
    let end = match (key.expired, key.expires_at) {
        (true, _) => "expired".to_owned(),
        (false, Some(end)) => format!("until {end}"),
        (false, None) => "no end".to_owned(),
    };
    let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {at}"));
    format!("{}  {}  …{}  {}  {end}  {used}", key.id, key.name, key.hint, key.scopes.join(","))
}

fn missing(id: ApiKeyId) -> String {
    format!("this project has no key {id}")
}
