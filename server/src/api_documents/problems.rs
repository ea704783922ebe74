//! Problems as the documents describe them ([RFC 9457](https://www.rfc-editor.org/rfc/rfc9457)).

use serde_json::{Map, Value, json};

use super::example;
use super::schemas::reference;
use crate::http::problem_kind::{ProblemKind, URN};

/// The name of the schema that all problems share.
pub const PROBLEM: &str = "Problem";

/// The name of a kind's schema.
#[must_use]
pub fn schema_name(kind: ProblemKind) -> String {
    let words = kind.name().split('-').map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    format!("{}{PROBLEM}", words.collect::<String>())
}

/// The members that a kind has of its own.
fn members(kind: ProblemKind) -> Value {
    let limit = || json!({ "limit": { "type": "integer", "minimum": 0, "description": "The most.", "examples": [10] } });
    match kind {
        ProblemKind::InvalidParameter => json!({ "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["parameter", "detail"],
                "properties": {
                    "parameter": { "type": "string", "description": "Which one.", "examples": ["limit"] },
                    "detail": { "type": "string", "description": "What is wrong with it.",
                                "examples": ["must be a whole number from 1 to 1000"] },
                },
            },
        } }),
        ProblemKind::InvalidFields => json!({ "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": { "type": "string", "description": "Which one: a JSON Pointer (RFC 6901) as a fragment.",
                                 "examples": ["#/amountMinor"] },
                    "detail": { "type": "string", "description": "What is wrong with it.",
                                "examples": ["must be above 0"] },
                },
            },
        } }),
        ProblemKind::Forbidden => json!({ "permission": reference("Permission") }),
        ProblemKind::ChannelRefused => json!({ "channel": {
            "type": ["string", "null"], "description": "Which one, where that is known.", "examples": ["private-desk"],
        } }),
        ProblemKind::Conflict => json!({ "current": {
            "type": "object", "description": "The record as it is now.",
            "examples": [{ "id": "stl_01kaghsp3mfvy8e4v0h6x2t9rd", "status": "held", "version": 8 }],
        } }),
        ProblemKind::StaleVersion => json!({ "currentVersion": {
            "type": "integer", "description": "The version that is there.", "examples": [8],
        } }),
        ProblemKind::HistoryGap => json!({ "oldestPosition": reference("Position") }),
        ProblemKind::TooManyPublishes | ProblemKind::TooManyStreams => limit(),
        _ => json!({}),
    }
}

/// The names of the members that a kind has of its own.
#[must_use]
pub fn member_names(kind: ProblemKind) -> Vec<String> {
    members(kind).as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default()
}

/// The schemas of all problems, by name.
#[must_use]
pub fn schemas() -> Vec<(String, Value)> {
    let shared = json!({
        "type": "object",
        "description": "What went wrong, as RFC 9457 has it. Programs go by `type`, people read `title` and `detail`.",
        "required": ["type", "title", "status"],
        "properties": {
            "type": { "type": "string", "format": "uri", "description": "The kind of problem; it stays the same." },
            "title": { "type": "string", "description": "What it is, in a line that is the same each time." },
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The status of the answer." },
            "detail": { "type": "string", "description": "What is wrong in this very case." },
        },
    });
    let of_kind = |kind: &ProblemKind| {
        let members = members(*kind);
        let mut properties = json!({
            "type": { "const": format!("{URN}{}", kind.name()) },
            "title": { "const": kind.title() },
            "status": { "const": kind.status().as_u16() },
        });
        let names: Vec<String> = member_names(*kind);
        if let (Some(properties), Value::Object(members)) = (properties.as_object_mut(), members) {
            properties.extend(members);
        }
        let schema = json!({
            "title": kind.title(),
            "description": kind.description().trim(),
            "allOf": [reference(PROBLEM)],
            "type": "object",
            "required": names,
            "properties": properties,
        });
        (schema_name(*kind), schema)
    };
    std::iter::once((PROBLEM.to_owned(), shared)).chain(ProblemKind::ALL.iter().map(of_kind)).collect()
}

/// A problem of this kind, for example.
#[must_use]
pub fn example_of(kind: ProblemKind, schemas: &Map<String, Value>) -> Value {
    let mut problem = json!({
        "type": format!("{URN}{}", kind.name()),
        "title": kind.title(),
        "status": kind.status().as_u16(),
    });
    if let (Some(problem), Value::Object(members)) = (problem.as_object_mut(), members(kind)) {
        problem.extend(members.into_iter().map(|(name, schema)| (name, example::of(&schema, schemas))));
    }
    problem
}
