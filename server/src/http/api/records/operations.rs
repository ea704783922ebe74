//! What is said of a module's routes.

use http::StatusCode;
use serde_json::{Value, json};
use tidewatch_app::model::Comment;
use tidewatch_events::Timestamp;
use tidewatch_modules::{Module, RecordQuery, Sort};

use super::{DEFAULT_LIMIT, JSON, NewComment};
use crate::api_documents::records::Names;
use crate::api_documents::schemas::reference;
use crate::api_documents::{Operation, Shape};
use crate::http::csv;
use crate::http::problem_kind::ProblemKind;

/// An operation such as `listSettlements`.
fn titled(verb: &str, module: &Module, rest: &str, summary: String) -> Operation {
    Operation::new(format!("{verb}{}{rest}", module.aggregate_type), summary)
}

/// The parameter that the paths of all have.
fn of_record(operation: Operation, module: &Module) -> Operation {
    let schema = json!({
        "type": "string",
        "pattern": format!("^{}_[0-9a-zA-Z-]{{26,36}}$", module.prefix),
        "examples": [format!("{}_01kaghsp3mfvy8e4v0h6x2t9rd", module.prefix)],
    });
    operation.path_like("id", "Which.", Shape::Json(schema))
}

pub(super) fn list(module: &Module) -> Operation {
    let names = Names::of(module);
    let statuses: Vec<&str> = module.statuses.iter().map(|status| &*status.name).collect();
    let sorts = Sort::ALL.into_iter().filter(|sort| *sort != Sort::Amount || module.amount_field.is_some());
    let columns = ["id", "status", "version", "createdAt", "updatedAt"].join(",");
    let operation = titled("list", module, "s", format!("List {}", module.title.to_lowercase()))
        .needs(module.read.as_str())
        .query::<String>(
            "status",
            &format!("Only those that stand at one of these: {}.", statuses.join(", ")),
        )
        .query::<String>("q", "Only those with words that begin like these, or the one with this id.")
        .query::<String>(
            "assignee",
            "Only those that the person with this id looks after; `none`: that nobody does.",
        )
        .query::<Timestamp>("from", "Only those made at this time or later.")
        .query::<Timestamp>("to", "Only those made before this time.")
        .query_of("sort", "In which order.", &sorts.map(Sort::as_str).collect::<Vec<_>>())
        .query::<String>("after", "`next` of the page before.")
        .query_number("limit", "Most records of the page.", 1, RecordQuery::MOST_ROWS.into(), DEFAULT_LIMIT)
        .query_of("export", "All of them as a file of this form.", &["csv", "json"])
        .query_of("total", "Whether to say how many there are.", &["true", "false"]);
    let narrowing = module.fields.iter().filter(|field| !field.choices.is_empty());
    narrowing
        .fold(operation, |operation, field| {
            let choices: Vec<&str> = field.choices.iter().map(|choice| &**choice).collect();
            // There can be others than those that are offered.
            operation.query::<String>(
                &field.name,
                &format!(
                    "Only those with this {}, such as {}.",
                    field.label.to_lowercase(),
                    choices.join(", ")
                ),
            )
        })
        .answers_with(
            StatusCode::OK,
            "A page of them, or all of them as a file.",
            JSON,
            Shape::Json(json!({ "anyOf": [reference(&names.page), reference(&names.export)] })),
        )
        .answers_with(StatusCode::OK, "", csv::CONTENT_TYPE_CSV, Shape::text())
        .answered_like(columns)
        .gives([ProblemKind::NotAcceptable])
}

pub(super) fn create(module: &Module) -> Operation {
    let names = Names::of(module);
    titled("create", module, "", format!("Make one of the {}", module.title.to_lowercase()))
        .needs(module.act.as_str())
        .body_like(JSON, Shape::named(&names.new))
        .creates_like("The record.", Shape::named(&names.record))
        .gives([ProblemKind::Refused])
}

pub(super) fn read(module: &Module) -> Operation {
    let names = Names::of(module);
    of_record(titled("get", module, "", format!("Read one of the {}", module.title.to_lowercase())), module)
        .needs(module.read.as_str())
        .answers_with(StatusCode::OK, "The record.", JSON, Shape::named(&names.record))
}

pub(super) fn make_move(module: &Module) -> Operation {
    let names = Names::of(module);
    of_record(
        titled("move", module, "", format!("Have one of the {} make a move", module.title.to_lowercase())),
        module,
    )
    .describe(
        "What changed meanwhile is answered with the record as it is: 409. Some moves need more; see each.",
    )
    .needs(module.act.as_str())
    .body_like(JSON, Shape::named(&names.step))
    .answers_with(StatusCode::OK, "The record after the move.", JSON, Shape::named(&names.record))
    .gives([ProblemKind::Conflict, ProblemKind::Refused])
}

pub(super) fn move_many(module: &Module) -> Operation {
    let names = Names::of(module);
    titled("move", module, "s", format!("Have many {} make a move", module.title.to_lowercase()))
        .describe("For these ids, or for all that a query finds. It goes on by itself, as an automation.")
        .needs(module.act.as_str())
        .body_like(JSON, Shape::named(&names.bulk))
        .answers_with(StatusCode::ACCEPTED, "It goes on.", JSON, Shape::Json(started()))
        .answers_with(StatusCode::OK, "`dryRun`: how many could make it.", JSON, Shape::Json(impact()))
        .gives([ProblemKind::Refused])
}

fn started() -> Value {
    json!({
        "type": "object",
        "required": ["automationId", "count"],
        "properties": {
            "automationId": { "allOf": [reference("RecordId")], "description": "The automation that tells how far it is." },
            "count": { "type": "integer", "minimum": 0, "description": "For so many records.", "examples": [12] },
        },
    })
}

fn impact() -> Value {
    json!({
        "type": "object",
        "required": ["count", "of"],
        "properties": {
            "count": { "type": "integer", "minimum": 0, "description": "So many can make it now.", "examples": [12] },
            "of": { "type": "integer", "minimum": 0, "description": "Out of so many.", "examples": [14] },
        },
    })
}

pub(super) fn comments(module: &Module) -> Operation {
    of_record(titled("list", module, "Comments", "List what people wrote about it".to_owned()), module)
        .needs(module.read.as_str())
        .lists::<Comment>("comments", "The comments, oldest first.")
}

pub(super) fn comment(module: &Module) -> Operation {
    let made = json!({
        "type": "object",
        "required": ["id"],
        "properties": { "id": reference("CommentId") },
    });
    of_record(titled("comment", module, "", "Write something about it".to_owned()), module)
        .needs(module.act.as_str())
        .body::<NewComment>()
        .for_example(json!({ "text": "Called the bank: it is on its way." }))
        .creates_like("The comment's id.", Shape::Json(made))
}
