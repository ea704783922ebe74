//! Incidents: open ─acknowledge▶ acknowledged ─resolve▶ resolved, and back by reopen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidewatch_events::id::RecordId;
use tidewatch_events::{AggregateType, Permission};
use tidewatch_modules::aggregate::checked_text;
use tidewatch_modules::module::{choice, field, input, rule, status};
use tidewatch_modules::{Aggregate, Context, FieldKind, InputKind, Module, MoveError, Outcome, Tone};

/// How bad an incident is, the least first.
pub const SEVERITIES: &[&str] = &["low", "medium", "high", "critical"];

/// An incident.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    title: String,
    severity: String,
    description: Option<String>,
    source: Option<RecordId>,
    resolution: Option<String>,
}

/// What is given for a new incident.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewIncident {
    title: String,
    severity: String,
    #[serde(default)]
    description: Option<String>,
    /// The record that it is about.
    #[serde(default)]
    source: Option<RecordId>,
}

/// The moves of an incident.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "move", rename_all = "snake_case", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum IncidentMove {
    /// Somebody is on it.
    Acknowledge {},
    /// It is over.
    Resolve {
        /// What it was.
        #[serde(default)]
        resolution: Option<String>,
    },
    /// It is not over.
    Reopen {},
    /// It is better or worse than was thought.
    SetSeverity {
        /// How bad.
        severity: String,
    },
}

fn checked_severity(severity: &str) -> Result<String, MoveError> {
    if SEVERITIES.contains(&severity) {
        return Ok(severity.to_owned());
    }
    Err(MoveError::Invalid {
        field: "severity".to_owned(),
        message: format!("must be one of {}", SEVERITIES.join(", ")),
    })
}

/// What may be left open, or empty.
pub(super) fn optional_text(
    field: &str,
    text: Option<&str>,
    most: usize,
) -> Result<Option<String>, MoveError> {
    text.filter(|text| !text.trim().is_empty()).map(|text| checked_text(field, text, most)).transpose()
}

impl Aggregate for Incident {
    type New = NewIncident;
    type Move = IncidentMove;

    fn module() -> Module {
        let severity = FieldKind::Tag {
            tones: vec![
                ("low".into(), Tone::Neutral),
                ("medium".into(), Tone::Active),
                ("high".into(), Tone::Warn),
                ("critical".into(), Tone::Bad),
            ],
        };
        Module::new(
            "incident",
            AggregateType::INCIDENT,
            "inc",
            Permission::INCIDENTS_READ,
            Permission::INCIDENTS_ACT,
        )
        .with_icon("alert")
        .with_statuses([
            status("open", Tone::Bad).waits(),
            status("acknowledged", Tone::Warn),
            status("resolved", Tone::Good).ended(),
        ])
        .with_fields([
            field("title", "Title", FieldKind::Text).searched(),
            field("severity", "Severity", severity).listed().narrowed_by(SEVERITIES),
            field("description", "Description", FieldKind::Paragraph).searched(),
            field("source", "About", FieldKind::Link).listed(),
            field("resolution", "What it was", FieldKind::Paragraph).searched(),
        ])
        .with_moves([
            rule("acknowledge", &["open"], &["acknowledged"]).labelled("Acknowledge").in_bulk(),
            rule("resolve", &["open", "acknowledged"], &["resolved"])
                .labelled("Resolve")
                .with_inputs([input("resolution", "What it was", InputKind::Paragraph).optional()])
                .in_bulk()
                .undone_by("reopen"),
            rule("reopen", &["resolved"], &["open"]).labelled("Reopen"),
            rule("set_severity", &["open", "acknowledged"], &[])
                .labelled("Change severity")
                .with_inputs([choice("severity", "Severity", SEVERITIES)]),
        ])
        .created_with([
            input("title", "Title", InputKind::Text),
            choice("severity", "Severity", SEVERITIES),
            input("description", "Description", InputKind::Paragraph).optional(),
        ])
    }

    fn create(new: NewIncident, _: &Context<'_>) -> Result<(Self, Outcome), MoveError> {
        let incident = Self {
            title: checked_text("title", &new.title, 200)?,
            severity: checked_severity(&new.severity)?,
            description: optional_text("description", new.description.as_deref(), 10_000)?,
            source: new.source,
            resolution: None,
        };
        Ok((incident, Outcome::plain()))
    }

    fn make(&mut self, step: IncidentMove, _: &str, _: &Context<'_>) -> Result<Outcome, MoveError> {
        Ok(match step {
            IncidentMove::Acknowledge {} => Outcome::plain(),
            IncidentMove::Resolve { resolution } => {
                self.resolution = optional_text("resolution", resolution.as_deref(), 10_000)?;
                Outcome::plain()
            }
            IncidentMove::Reopen {} => {
                self.resolution = None;
                Outcome::plain()
            }
            IncidentMove::SetSeverity { severity } => {
                self.severity = checked_severity(&severity)?;
                Outcome::plain().told_as("incident.updated").saying("changed", vec!["severity"])
            }
        })
    }
}
