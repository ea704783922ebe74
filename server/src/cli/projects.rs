//! `tidewatch projects`

use anyhow::Context;
use clap::{Args, Subcommand};
use serde_json::json;
use sqlx::PgConnection;

use super::answer::{Answer, AnswerFormat};
use super::office::note;
use crate::config::DatabaseConfig;
use crate::db;
use crate::serve::connect;

#[derive(Debug, Args)]
pub(super) struct Projects {
    #[command(flatten)]
    database: DatabaseConfig,
    #[command(flatten)]
    format: AnswerFormat,
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
    let answer = act(&mut transaction, command.action).await?;
    transaction.commit().await?;
    answer.say(command.format);
    Ok(())
}

async fn act(connection: &mut PgConnection, action: Action) -> anyhow::Result<Answer> {
    match action {
        Action::List => {
            let projects = db::projects::list(connection).await?;
            let lines = projects.iter().map(|project| format!("{}  {}", project.slug, project.name));
            let json = projects.iter().map(|project| json!({ "slug": project.slug, "name": project.name }));
            Ok(Answer::new(lines, json!({ "projects": json.collect::<Vec<_>>() })))
        }
        Action::Create { slug, name } => {
            let name = name.trim();
            anyhow::ensure!(
                is_slug(&slug),
                "`{slug}` must be 1 to 63 of a-z, 0-9 and -, and begin with a letter"
            );
            anyhow::ensure!(
                (1..=200).contains(&name.chars().count()),
                "the name must have 1 to 200 characters"
            );
            anyhow::ensure!(
                db::projects::find_by_slug(connection, &slug).await?.is_none(),
                "there is a project `{slug}` already"
            );
            let id = db::projects::ensure(connection, &slug, name).await?;
            let made = json!({ "slug": slug, "name": name });
            note(connection, id, "project.create", &id.to_string(), name, None, Some(made.clone())).await?;
            let lines = [
                format!("The project {slug} is made. Put somebody into it:"),
                format!("  tidewatch users --project {slug} create you@example.com --name You --role admin"),
            ];
            Ok(Answer::new(lines, json!({ "project": made })))
        }
    }
}

fn is_slug(text: &str) -> bool {
    text.len() <= 63
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
