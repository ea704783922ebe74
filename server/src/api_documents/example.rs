//! Examples out of schemas, so that each body has one and each one is of its schema.

use serde_json::{Map, Value, json};

/// How deep examples go: schemas may hold themselves.
const DEEPEST: usize = 20;

/// What texts of these names are like.
const TEXTS: &[(&str, &str)] = &[
    ("actor", "user:usr_01kaghsp3mfvy8e4v0h6x2t9rd"),
    ("actorName", "ada@example.com"),
    ("address", "192.0.2.7"),
    ("createdBy", "ada@example.com"),
    ("description", "For the bookkeeping"),
    ("email", "ada@example.com"),
    ("eventType", "settlement.settled"),
    ("link", "/settlements"),
    ("message", "Saved."),
    ("pointer", "/network"),
    ("recipient", "ada@example.com"),
    ("title", "A settlement failed"),
    ("timeZone", "Europe/Vienna"),
    ("updatedBy", "ada@example.com"),
    ("url", "https://example.com/hooks"),
    ("version", "1.0.0"),
];

/// A value that the schema allows. `schemas` are those that it may refer to.
#[must_use]
pub fn of(schema: &Value, schemas: &Map<String, Value>) -> Value {
    write(schema, schemas, "", 0)
}

fn write(schema: &Value, schemas: &Map<String, Value>, name: &str, depth: usize) -> Value {
    if depth > DEEPEST {
        return Value::Null;
    }
    if let Some(known) = known(schema) {
        return known;
    }
    let target = schema["$ref"].as_str().and_then(|target| target.rsplit('/').next());
    if let Some(target) = target.and_then(|target| schemas.get(target)) {
        return write(target, schemas, name, depth + 1);
    }
    let mut value = Value::Null;
    for part in schema["allOf"].as_array().into_iter().flatten() {
        join(&mut value, write(part, schemas, name, depth + 1));
    }
    // What the schema says itself counts before its parts.
    match by_kind(schema, schemas, name, depth) {
        Value::Null => {}
        own => join(&mut value, own),
    }
    let choices = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array());
    if let Some(first) = choices.and_then(|choices| choices.first()) {
        join(&mut value, write(first, schemas, name, depth + 1));
    }
    value
}

/// What the schema itself gives.
fn known(schema: &Value) -> Option<Value> {
    let first = |name: &str| schema.get(name)?.as_array()?.first().cloned();
    let given = || schema.get("const").or_else(|| schema.get("default")).cloned();
    first("examples").or_else(given).or_else(|| first("enum"))
}

fn by_kind(schema: &Value, schemas: &Map<String, Value>, name: &str, depth: usize) -> Value {
    let kind = schema["type"].as_str().or_else(|| schema["type"].get(0)?.as_str());
    match kind {
        Some("object") => object(schema, schemas, depth),
        Some("array") => match schema.get("items") {
            Some(items) => {
                let one = name.strip_suffix('s').unwrap_or(name);
                json!([write(items, schemas, one, depth + 1)])
            }
            None => json!([]),
        },
        Some("integer" | "number") => {
            schema.get("minimum").filter(|least| **least != json!(0)).map_or_else(|| json!(1), Clone::clone)
        }
        Some("boolean") => json!(false),
        Some("string") => {
            TEXTS.iter().find(|(known, _)| *known == name).map_or("text", |(_, text)| text).into()
        }
        _ => Value::Null,
    }
}

fn object(schema: &Value, schemas: &Map<String, Value>, depth: usize) -> Value {
    let Some(properties) = schema["properties"].as_object() else {
        return match schema.get("additionalProperties").filter(|more| more.is_object()) {
            Some(more) => json!({ "name": write(more, schemas, "name", depth + 1) }),
            None => json!({}),
        };
    };
    properties.iter().map(|(name, schema)| (name.clone(), write(schema, schemas, name, depth + 1))).collect()
}

fn join(value: &mut Value, part: Value) {
    match (value, part) {
        (Value::Object(all), Value::Object(more)) => all.extend(more),
        (value, part) => *value = part,
    }
}
