//! `tidewatch keys`

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use tidewatch_app::model::ApiKey;
use tidewatch_events::id::ApiKeyId;

use super::office::{ACTOR, Office, note};
use super::say;
use crate::commands::keys::{Maker, check, find, make, remove, replace};
use crate::db;

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

pub(super) async fn run(command: Keys) -> anyhow::Result<()> {
    let pool = command.office.pool();
    let mut transaction = pool.begin().await.context("cannot reach Postgres; is DATABASE_URL right?")?;
    let project = command.office.project(&mut transaction).await?;
    match command.action {
        Action::List => {
            for key in db::api_keys::list(&mut transaction, project, None).await? {
                print(&key);
            }
        }
        Action::Create { name, scopes, expires_in_days } => {
            let name = name.trim();
            let scopes = check(name, scopes, expires_in_days)?;
            let digester = command.office.digester(&pool).await?;
            let maker = Maker { digester: &digester, project, name: ACTOR, person: None };
            let (key, secret) = make(&mut transaction, maker, name, &scopes, expires_in_days).await?;
            let id = key.id;
            note(&mut transaction, project, "api_key.create", &id.to_string(), name, None, Some(json!(key)))
                .await?;
            transaction.commit().await?;
            say(format_args!("{secret}"));
            return Ok(());
        }
        Action::Rotate { id, overlap_hours } => {
            let old = find(&mut transaction, project, id).await.with_context(|| missing(id))?;
            let digester = command.office.digester(&pool).await?;
            let maker = Maker { digester: &digester, project, name: ACTOR, person: None };
            let (_, secret) = replace(&mut transaction, maker, &old, overlap_hours).await?;
            let after = find(&mut transaction, project, id).await?;
            let (before, after) = (Some(json!(old)), Some(json!(after)));
            note(&mut transaction, project, "api_key.rotate", &id.to_string(), &old.name, before, after)
                .await?;
            transaction.commit().await?;
            say(format_args!("{secret}"));
            return Ok(());
        }
        Action::Delete { id } => {
            let old = find(&mut transaction, project, id).await.with_context(|| missing(id))?;
            remove(&mut transaction, project, id).await?;
            note(
                &mut transaction,
                project,
                "api_key.delete",
                &id.to_string(),
                &old.name,
                Some(json!(old)),
                None,
            )
            .await?;
            transaction.commit().await?;
            say(format_args!("{id} ({}) is deleted.", old.name));
            return Ok(());
        }
    }
    Ok(())
}

fn print(key: &ApiKey) {
    let end = match (key.expired, key.expires_at) {
        (true, _) => "expired".to_owned(),
        (false, Some(end)) => format!("until {end}"),
        (false, None) => "no end".to_owned(),
    };
    let used = key.last_used_at.map_or_else(|| "never used".to_owned(), |at| format!("used {at}"));
    say(format_args!("{}  {}  …{}  {}  {end}  {used}", key.id, key.name, key.hint, key.scopes.join(",")));
}

fn missing(id: ApiKeyId) -> String {
    format!("this project has no key {id}")
}
