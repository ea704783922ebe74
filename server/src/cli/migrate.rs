//! `tidewatch migrate`

use anyhow::Context;
use clap::Args;

use crate::config::DatabaseConfig;
use crate::serve::{MIGRATIONS, connect};

#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    database: DatabaseConfig,
}

pub(super) async fn run(command: Migrate) -> anyhow::Result<()> {
    let pool = connect(&command.database);
    MIGRATIONS.run(&pool).await.context("the schema cannot be brought up to date")?;
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    super::say(format_args!("The schema is up to date (migration {newest})."));
    Ok(())
}
