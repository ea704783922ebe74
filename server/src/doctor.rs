//! Looks for what is wrong with a set-up, and says what to do about it: `tidewatch doctor`.
//!
//! It changes nothing, and needs no server that runs: each check stands on its own, so that one that fails hides no other.

mod database;
mod machine;
mod neighbours;
mod settings;

use serde::Serialize;

use crate::config::ServeConfig;
use crate::installation::Tidewatch;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// As it should be.
    Ok,
    /// Good to know.
    Note,
    /// It works, and somebody will be sorry for it one day.
    Warning,
    /// It does not work.
    Problem,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub check: &'static str,
    /// How bad it is.
    pub level: Level,
    /// What was seen.
    pub said: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Finding {
    fn ok(check: &'static str, said: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, said: said.into(), advice: None }
    }

    fn note(check: &'static str, said: impl Into<String>) -> Self {
        Self { check, level: Level::Note, said: said.into(), advice: None }
    }

    fn warning(check: &'static str, said: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, said: said.into(), advice: Some(advice.into()) }
    }

    fn problem(check: &'static str, said: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { check, level: Level::Problem, said: said.into(), advice: Some(advice.into()) }
    }
}

/// Looks at everything that a server with these settings needs, and tells of each check as it is done.
pub async fn examine(config: &ServeConfig, tidewatch: &Tidewatch, mut tell: impl FnMut(Finding)) {
    settings::examine(config).into_iter().for_each(&mut tell);
    machine::examine(config).await.into_iter().for_each(&mut tell);
    database::examine(&config.database, tidewatch).await.into_iter().for_each(&mut tell);
    neighbours::examine(config).await.into_iter().for_each(&mut tell);
}
