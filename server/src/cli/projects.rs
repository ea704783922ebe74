//! `tidewatch projects`

use anyhow::Context;
use clap::{Args, Subcommand};

use super::office::note;
use super::say;
use crate::config::DatabaseConfig;
use crate::db;
use crate::serve::connect;

#[derive(Debug, Args)]
pub(super) struct Projects {
    #[command(flatten)]
    database: DatabaseConfig,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all projects
    List,
    /// Make a project
    Create {
        /// Its name in addresses: a-z, 0-9 and -
        slug: String,
        /// What people call it
        #[arg(long)]
        name: String,
    },
}

pub(super) async fn run(command: Projects) -> anyhow::Result<()> {
    let pool = connect(&command.database);
    let mut transaction = pool.begin().await.context("cannot reach Postgres; is DATABASE_URL right?")?;
    match command.action {
        Action::List => {
            for project in db::projects::list(&mut transaction).await? {
                say(format_args!("{}  {}", project.slug, project.name));
            }
        }
        Action::Create { slug, name } => {
            anyhow::ensure!(
                is_slug(&slug),
                "`{slug}` must be 1 to 63 of a-z, 0-9 and -, and begin with a letter"
            );
            anyhow::ensure!(
                (1..=200).contains(&name.trim().chars().count()),
                "the name must have 1 to 200 characters"
            );
            anyhow::ensure!(
                db::projects::find_by_slug(&mut transaction, &slug).await?.is_none(),
                "there is a project `{slug}` already"
            );
            let id = db::projects::ensure(&mut transaction, &slug, name.trim()).await?;
            let after = Some(serde_json::json!({ "slug": slug, "name": name.trim() }));
            note(&mut transaction, id, "project.create", &id.to_string(), name.trim(), None, after).await?;
            transaction.commit().await?;
            say(format_args!("The project {slug} is made. Put somebody into it:"));
            say(format_args!(
                "  tidewatch users --project {slug} create you@example.com --name You --role admin"
            ));
        }
    }
    Ok(())
}

fn is_slug(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
