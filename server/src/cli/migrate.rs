//! `tidewatch migrate`

use std::time::Duration;

use clap::Args;

use super::progress::Progress;

use crate::config::DatabaseConfig;
use crate::db;
use crate::installation::Tidewatch;
use crate::serve::{MIGRATIONS, connect};

/// How often to look how far it is.
const LOOK: Duration = Duration::from_millis(500);

#[derive(Debug, Args)]
pub(super) struct Migrate {
    #[command(flatten)]
    database: DatabaseConfig,
}

pub(super) async fn run(command: Migrate, tidewatch: &Tidewatch) -> anyhow::Result<()> {
    let pool = connect(&command.database);
    let total = MIGRATIONS.iter().count() as u64;
    let mut progress = Progress::new("migrations");
    let migrating = tidewatch.migrate(&pool);
    tokio::pin!(migrating);
    loop {
        tokio::select! {
            migrated = &mut migrating => break migrated?,
            () = tokio::time::sleep(LOOK) => progress.at(db::migrations::applied(&pool).await, total, "applied"),
        }
    }
    drop(progress);
    let newest = MIGRATIONS.iter().map(|migration| migration.version).max().unwrap_or_default();
    super::say(format_args!("The schema is up to date (migration {newest})."));
    Ok(())
}
