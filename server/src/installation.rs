//! An installation: what Tidewatch brings along, and what its developers add to it.
//!
//! A program of one's own is Tidewatch with more modules:
//!
//! ```no_run
//! # use serde::{Deserialize, Serialize};
//! # use tidewatch_modules::prelude::*;
//! # #[derive(Serialize, Deserialize)]
//! # struct Parcel { reference: String }
//! # #[derive(Deserialize)]
//! # struct Nothing {}
//! # impl Aggregate for Parcel {
//! #     type New = Self;
//! #     type Move = Nothing;
//! #     fn module() -> Module { Module::own("parcel", "Parcel", "par") }
//! #     fn create(new: Self, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> { Ok((new, Outcome::plain())) }
//! #     fn make(&mut self, _: Nothing, _: &str, _: &Context<'_>) -> Result<Outcome, MoveError> { Ok(Outcome::plain()) }
//! # }
//! use tidewatch_server::Tidewatch;
//!
//! static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../migrations"); // of the module's tables
//!
//! fn main() -> std::process::ExitCode {
//!     Tidewatch::new().module::<Parcel>().migrations("parcels", &MIGRATIONS).main()
//! }
//! ```
//!
//! The program has every command of `tidewatch`, and all of them know the modules: `migrate` makes their tables, `serve`
//! has their pages, API and events, `simulate` lives in them, `verify` rebuilds them from their events.

mod schema;

use std::process::ExitCode;

use anyhow::Context;
use sqlx::PgPool;
use sqlx::migrate::Migrator;
use tidewatch_modules::Aggregate;

pub use self::schema::Lacking;
use crate::cli::{self, Cli};
use crate::domain::Modules;
use crate::serve::MIGRATIONS;
use crate::telemetry;

/// Tidewatch with its modules, and those that are added to it.
#[derive(Clone)]
#[must_use = "it does nothing before `main`"]
pub struct Tidewatch {
    modules: Modules,
    migrations: Vec<OwnMigrations>,
}

/// Migrations that do not come with Tidewatch.
#[derive(Debug, Clone, Copy)]
struct OwnMigrations {
    name: &'static str,
    migrator: &'static Migrator,
}

impl OwnMigrations {
    /// Where it is written down which of them were applied.
    ///
    /// A table of their own, and not Tidewatch's: versions are counted anew in it, so that no later release of Tidewatch can
    /// bring one that is taken, and each side can tell a migration that it does not know from one of the other side's.
    fn table(&self) -> String {
        format!("{}_migrations", self.name)
    }

    /// The same migrations, written down in that table.
    fn in_its_table(&self) -> Migrator {
        let mut migrator = Migrator::with_migrations(self.migrator.iter().cloned().collect());
        migrator.dangerous_set_table_name(self.table());
        migrator
    }
}

impl Default for Tidewatch {
    fn default() -> Self {
        Self::new()
    }
}

impl Tidewatch {
    /// What Tidewatch brings along, and nothing else.
    pub fn new() -> Self {
        Self { modules: Modules::built_in(), migrations: Vec::new() }
    }

    /// And this module: it comes behind the others in the navigation.
    pub fn module<A: Aggregate>(mut self) -> Self {
        self.modules = self.modules.with::<A>();
        self
    }

    /// And these migrations, which `migrate` applies behind Tidewatch's own: those of the tables of the modules that are
    /// added. Which were applied stands in the table `{name}_migrations`, so their versions have nothing to do with
    /// Tidewatch's, and crates that bring modules can each have their own.
    ///
    /// `name` never changes: under another one they would be applied once more.
    pub fn migrations(mut self, name: &'static str, migrator: &'static Migrator) -> Self {
        self.migrations.push(OwnMigrations { name, migrator });
        self
    }

    /// All its modules.
    #[must_use]
    pub const fn modules(&self) -> &Modules {
        &self.modules
    }

    /// What does not fit together in it, each in a sentence; none: all is well. No database is asked.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = self.modules.problems();
        for (index, own) in self.migrations.iter().enumerate() {
            let name = own.name;
            let is_well_formed = name.starts_with(|first: char| first.is_ascii_lowercase())
                && name.len() <= 40
                && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            if !is_well_formed {
                problems.push(format!(
                    "the name `{name}` of migrations must be 1 to 40 of a-z, 0-9 and _, and begin with a letter"
                ));
            }
            if self.migrations[..index].iter().any(|other| other.name == name) {
                problems.push(format!("there are two sets of migrations of the name `{name}`"));
            }
        }
        problems
    }

    /// Brings the schema up to date: Tidewatch's first, then what is added, in the order in which it was.
    ///
    /// # Errors
    /// Postgres cannot be reached or refuses, or the database has migrations that this program does not know.
    pub async fn migrate(&self, pool: &PgPool) -> anyhow::Result<()> {
        MIGRATIONS.run(pool).await.context("the schema cannot be brought up to date")?;
        for own in &self.migrations {
            let migrated = own.in_its_table().run(pool).await;
            migrated.with_context(|| format!("the migrations of `{}` cannot be applied", own.name))?;
        }
        Ok(())
    }

    /// The program: reads its arguments, carries out the command, and says what went wrong on standard error. For
    /// `fn main`, whose answer this is.
    #[must_use]
    pub fn main(self) -> ExitCode {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let ended = runtime.context("no threads can be started").and_then(|runtime| {
            runtime.block_on(async {
                let command = Cli::from_environment();
                telemetry::start(command.log_filter())?;
                self.run(command).await
            })
        });
        ended.unwrap_or_else(|error| {
            // Standard error, not the log: whoever started it by hand reads this.
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("tidewatch: {error:#}\n"));
            ExitCode::FAILURE
        })
    }

    async fn run(&self, command: Cli) -> anyhow::Result<ExitCode> {
        let problems = self.problems();
        anyhow::ensure!(problems.is_empty(), "the modules do not hold together: {}", problems.join("; "));
        cli::run(command, self).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tidewatch_brings_along_holds_together() {
        assert_eq!(Tidewatch::new().problems(), Vec::<String>::new());
        let tidewatch =
            Tidewatch::new().migrations("parcels", &MIGRATIONS).migrations("fleet_2", &MIGRATIONS);
        assert_eq!(tidewatch.problems(), Vec::<String>::new());
    }

    #[test]
    fn names_of_migrations_are_those_of_tables_and_different() {
        for (names, said) in [(["a-b", "c"], "must be"), (["_", "c"], "must be"), (["c", "c"], "two sets")] {
            let tidewatch =
                names.into_iter().fold(Tidewatch::new(), |all, name| all.migrations(name, &MIGRATIONS));
            let problems = tidewatch.problems();
            assert!(problems.iter().any(|problem| problem.contains(said)), "{names:?}: {problems:?}");
        }
    }
}
