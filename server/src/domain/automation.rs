//! Automations: work that goes on by itself. started ─progress▶ ⟲ ─complete▶ completed, ─fail▶ failed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidewatch_events::{AggregateType, Permission, Timestamp};
use tidewatch_modules::aggregate::checked_text;
use tidewatch_modules::module::{field, input, rule, status};
use tidewatch_modules::{Aggregate, Context, FieldKind, InputKind, Module, MoveError, Outcome, Tone};

/// A run of an automation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Automation {
    name: String,
    done: i64,
    total: i64,
    /// Of those that are done, the ones at which nothing was to be done.
    skipped: i64,
    note: Option<String>,
    error: Option<String>,
    started_at: Timestamp,
    duration_ms: Option<i64>,
}

/// What is given for a new run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewAutomation {
    name: String,
    #[serde(default)]
    total: Option<i64>,
    #[serde(default)]
    note: Option<String>,
}

/// The moves of a run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "move", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum AutomationMove {
    /// It came so far.
    Progress {
        /// Steps done.
        done: i64,
        /// Steps in all; `None`: as before.
        #[serde(default)]
        total: Option<i64>,
        /// Of those, the ones at which nothing was to be done; `None`: as before.
        #[serde(default)]
        skipped: Option<i64>,
        /// What is to be said of it so far; `None`: as before.
        #[serde(default)]
        note: Option<String>,
    },
    /// It is through.
    Complete {
        /// What came of it.
        #[serde(default)]
        note: Option<String>,
    },
    /// It came to nothing.
    Fail {
        /// Why.
        error: String,
    },
}

impl Aggregate for Automation {
    type New = NewAutomation;
    type Move = AutomationMove;

    fn module() -> Module {
        Module::new(
            "automation",
            AggregateType::AUTOMATION,
            "aut",
            Permission::AUTOMATIONS_READ,
            Permission::AUTOMATIONS_ACT,
        )
        .with_icon("play")
        .with_statuses([
            status("started", Tone::Active),
            status("completed", Tone::Good).ended(),
            status("failed", Tone::Bad).ended(),
        ])
        .with_fields([
            field("name", "Name", FieldKind::Text).searched(),
            field("done", "Progress", FieldKind::Progress { of: "total".into(), unit: "steps".into() })
                .listed(),
            field("total", "Steps in all", FieldKind::Number),
            field("skipped", "Skipped", FieldKind::Number),
            field("note", "Note", FieldKind::Text).searched(),
            field("startedAt", "Started", FieldKind::Time),
            field("durationMs", "Took", FieldKind::Duration).listed(),
            field("error", "What went wrong", FieldKind::Text).searched().trouble(),
        ])
        .with_moves([
            rule("progress", &["started"], &[]),
            rule("complete", &["started"], &["completed"]),
            rule("fail", &["started"], &["failed"])
                .labelled("Give up")
                .with_inputs([input("error", "What went wrong", InputKind::Text)])
                .destructive(),
        ])
    }

    fn create(new: NewAutomation, context: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let automation = Self {
            name: checked_text("name", &new.name, 200)?,
            done: 0,
            total: checked_count("total", new.total.unwrap_or(0))?,
            skipped: 0,
            note: new.note.map(|note| checked_text("note", &note, 1000)).transpose()?,
            error: None,
            started_at: context.now,
            duration_ms: None,
        };
        Ok((automation, Outcome::plain().told_as("automation.started")))
    }

    fn make(&mut self, step: AutomationMove, _: &str, context: &Context<'_>) -> Result<Outcome, MoveError> {
        let ended = context.now.millis_since(self.started_at).max(0);
        Ok(match step {
            AutomationMove::Progress { done, total, skipped, note } => {
                if let Some(note) = note {
                    self.note = Some(checked_text("note", &note, 1000)?);
                }
                self.skipped = checked_count("skipped", skipped.unwrap_or(self.skipped))?;
                self.total = checked_count("total", total.unwrap_or(self.total))?;
                self.done = checked_count("done", done)?;
                if self.total > 0 && self.done > self.total {
                    return Err(MoveError::invalid("done", "must not be more than total"));
                }
                Outcome::plain().told_as("automation.progressed")
            }
            AutomationMove::Complete { note } => {
                if let Some(note) = note {
                    self.note = Some(checked_text("note", &note, 1000)?);
                }
                self.done = self.total;
                self.duration_ms = Some(ended);
                Outcome::plain().told_as("automation.completed")
            }
            AutomationMove::Fail { error } => {
                self.error = Some(checked_text("error", &error, 1000)?);
                self.duration_ms = Some(ended);
                Outcome::plain().told_as("automation.failed")
            }
        })
    }
}

fn checked_count(field: &str, count: i64) -> Result<i64, MoveError> {
    if (0..=1_000_000_000).contains(&count) {
        return Ok(count);
    }
    Err(MoveError::invalid(field, "must be 0 to 1000000000"))
}
