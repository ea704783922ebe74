//! Log entries: written once, never changed. Where one stands is how bad it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidewatch_events::{AggregateType, Permission};
use tidewatch_modules::aggregate::checked_text;
use tidewatch_modules::module::{field, status};
use tidewatch_modules::{Aggregate, Context, FieldKind, Module, MoveError, Outcome, Tone};

use super::balance::Never;

/// A log entry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    message: String,
    level: String,
    source: Option<String>,
}

/// What is given for a new entry.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewLog {
    message: String,
    #[serde(default)]
    level: Option<String>,
    /// The service that says so.
    #[serde(default)]
    source: Option<String>,
}

impl Aggregate for Log {
    type New = NewLog;
    type Move = Never;

    fn module() -> Module {
        Module::new("log", AggregateType::LOG, "log", Permission::LOGS_READ, Permission::LOGS_ACT)
            .with_icon("lines")
            .with_statuses([
                status("info", Tone::Neutral).ended(),
                status("debug", Tone::Neutral).ended(),
                status("warn", Tone::Warn).ended(),
                status("error", Tone::Bad).ended(),
            ])
            .with_fields([
                field("message", "Message", FieldKind::Text).searched(),
                field("level", "Level", FieldKind::Text),
                field("source", "Source", FieldKind::Text).listed().searched(),
            ])
    }

    fn create(new: NewLog, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let level = new.level.unwrap_or_else(|| "info".to_owned());
        if !["debug", "info", "warn", "error"].contains(&level.as_str()) {
            return Err(MoveError::invalid("level", "must be debug, info, warn or error"));
        }
        let entry = Self {
            message: checked_text("message", &new.message, 10_000)?,
            level: level.clone(),
            source: new.source.map(|source| checked_text("source", &source, 200)).transpose()?,
        };
        Ok((entry, Outcome::plain().told_as("log.added").leading_to(level)))
    }

    fn make(&mut self, step: Never, _: &str, _: &Context<'_>) -> Result<Outcome, MoveError> {
        match step {}
    }
}
