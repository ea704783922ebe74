//! Whether a database has what the installation needs.

use std::fmt;

use sqlx::PgConnection;
use tidewatch_modules::{Chart, Module};

use super::Tidewatch;
use crate::db::checkup::{self, ModuleTable};
use crate::db::records::snake_case;
use crate::queries::is_counted;
use crate::serve::MIGRATIONS;

/// What a database lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lacking {
    /// Everything.
    Schema,
    /// A migration that broke off.
    Finished(i64),
    /// Migrations, by version.
    Migrations {
        /// Whose: `None` for Tidewatch's.
        of: Option<&'static str>,
        /// Which.
        versions: Vec<i64>,
    },
    /// Something that a module needs and no migration has made.
    Module(String),
}

impl fmt::Display for Lacking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Schema => f.write_str("the database has no schema yet"),
            Self::Finished(version) => write!(f, "the migration {version} broke off"),
            Self::Migrations { of, versions } => {
                f.write_str("migrations ")?;
                if let Some(name) = of {
                    write!(f, "of {name} ")?;
                }
                let versions: Vec<String> = versions.iter().map(ToString::to_string).collect();
                write!(f, "are not applied: {}", versions.join(", "))
            }
            Self::Module(what) => f.write_str(what),
        }
    }
}

impl Lacking {
    /// What to do about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Schema | Self::Migrations { .. } => "Run `tidewatch migrate` with this binary.",
            Self::Finished(_) => "See why in the log of `tidewatch migrate`, and run it again.",
            Self::Module(_) => {
                "Write a migration that does so, and run `migrate`; docs/extending.md says how."
            }
        }
    }
}

impl Tidewatch {
    /// What the database lacks of what this program needs; nothing: it can serve.
    ///
    /// # Errors
    /// Postgres refused or could not be reached.
    pub async fn lacking(&self, connection: &mut PgConnection) -> Result<Vec<Lacking>, sqlx::Error> {
        let Some(applied) = checkup::migrations(connection, checkup::MIGRATIONS_TABLE).await? else {
            return Ok(vec![Lacking::Schema]);
        };
        let mut lacking = behind(None, &applied, MIGRATIONS.iter().map(|own| own.version));
        for own in &self.migrations {
            let applied = checkup::migrations(connection, &own.table()).await?.unwrap_or_default();
            lacking.extend(behind(Some(own.name), &applied, own.migrator.iter().map(|own| own.version)));
        }
        if lacking.is_empty() {
            let names: Vec<&str> = self.modules().descriptions().map(|module| &*module.name).collect();
            let tables = checkup::module_tables(connection, &names).await?;
            lacking.extend(self.modules().descriptions().flat_map(|module| lacking_of(module, &tables)));
        }
        Ok(lacking)
    }
}

/// What of these versions was not applied, or not wholly.
pub(crate) fn behind(
    of: Option<&'static str>,
    applied: &[(i64, bool)],
    known: impl Iterator<Item = i64>,
) -> Vec<Lacking> {
    if let Some((failed, _)) = applied.iter().find(|(_, went_well)| !went_well) {
        return vec![Lacking::Finished(*failed)];
    }
    let versions: Vec<i64> =
        known.filter(|version| !applied.iter().any(|(there, _)| there == version)).collect();
    if versions.is_empty() { Vec::new() } else { vec![Lacking::Migrations { of, versions }] }
}

/// What the tables lack of a module: what its description says and no migration has made would fail at some request.
fn lacking_of(module: &Module, tables: &[ModuleTable]) -> Vec<Lacking> {
    let name = &module.name;
    let Some(table) = tables.iter().find(|table| table.name == *name) else {
        return vec![Lacking::Module(format!(
            "the module {name} has no table: its migration makes it, and calls make_record_table('{name}', …)"
        ))];
    };
    let has = |column: &str| table.columns.iter().any(|there| there == column);
    if !has("search") || !has("audience") {
        return vec![Lacking::Module(format!(
            "the table {name} has no head: its migration calls make_record_table('{name}', …)"
        ))];
    }
    let missing = module.fields.iter().map(|field| snake_case(&field.name)).filter(|column| !has(column));
    let mut lacking: Vec<Lacking> = missing
        .map(|column| {
            Lacking::Module(format!("the table {name} has no column {column}, which the module has"))
        })
        .collect();
    let needs_counts = is_counted(module) || module.charts.contains(&Chart::ByStatus);
    if needs_counts && !table.is_counted {
        lacking.push(Lacking::Module(format!(
            "records of {name} are not counted, which the overview or their chart needs: a migration says \
             select count_records('{name}')"
        )));
    }
    lacking
}

#[cfg(test)]
mod tests {
    use tidewatch_modules::prelude::*;

    use super::*;

    fn said(module: &Module, table: Option<(&[&str], bool)>) -> Vec<String> {
        let tables = table.map(|(columns, is_counted)| ModuleTable {
            name: "parcels".to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            is_counted,
        });
        lacking_of(module, tables.as_slice()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_module_s_table_is_as_its_description_says_or_it_is_said_what_is_not() {
        let module = Module::own("parcel", "Parcel", "par")
            .with_statuses([status("waiting", Tone::Neutral)])
            .with_fields([field("txHash", "Hash", FieldKind::Code)]);
        let whole: &[&str] = &["tx_hash", "search", "audience"];
        assert_eq!(said(&module, Some((whole, false))), Vec::<String>::new());
        assert!(said(&module, None)[0].contains("has no table"));
        assert!(said(&module, Some((&["tx_hash"], false)))[0].contains("has no head"));
        assert!(said(&module, Some((&["search", "audience"], false)))[0].contains("no column tx_hash"));
        let counted = module.clone().with_charts([Chart::ByStatus]);
        assert!(said(&counted, Some((whole, false)))[0].contains("count_records('parcels')"));
        assert_eq!(said(&counted, Some((whole, true))), Vec::<String>::new());
        let waits = module.with_statuses([status("waiting", Tone::Neutral).waits()]);
        assert_eq!(said(&waits, Some((whole, false))).len(), 1);
    }

    #[test]
    fn what_is_not_applied_is_named() {
        let lacking = behind(Some("parcels"), &[(1, true)], [1, 2, 3].into_iter());
        assert_eq!(lacking[0].to_string(), "migrations of parcels are not applied: 2, 3");
        assert_eq!(behind(None, &[(1, true), (7, true)], [1].into_iter()), []);
        assert_eq!(behind(None, &[(1, false)], [1].into_iter()), [Lacking::Finished(1)]);
    }
}
