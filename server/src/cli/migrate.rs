//! `tidewatch migrate`

use clap::Args;

use crate::config::DatabaseConfig;
use crate::installation::Tidewatch;
use crate::serve::{MIGRATIONS, connect};

#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    database: DatabaseConfig,
}

pub(super) async fn run(command: Migrate, tidewatch: &Tidewatch) -> anyhow::Result<()> {
    tidewatch.migrate(&connect(&command.database)).await?;
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    super::say(format_args!("The schema is up to date (migration {newest})."));
    Ok(())
}
