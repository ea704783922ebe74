//! JSON Schemas of bodies, out of the types that are read and written.

use std::collections::BTreeSet;
use std::fmt;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Where schemas stand in a document.
const SCHEMAS: &str = "#/components/schemas/";
/// Where schemas of what is read stand until [`Schemas::finish`].
const READ: &str = "#/components/read/";

/// What a value is like.
#[derive(Clone)]
pub enum Shape {
    /// Like this type.
    Type(fn(&mut SchemaGenerator) -> Schema),
    /// Like this type, or empty.
    OrEmpty(fn(&mut SchemaGenerator) -> Schema),
    /// An object with a list of such under this name.
    List(&'static str, fn(&mut SchemaGenerator) -> Schema),
    /// As this schema says.
    Json(Value),
}

impl Shape {
    /// Like this type.
    #[must_use]
    pub fn of<T: JsonSchema>() -> Self {
        Self::Type(|generator| generator.subschema_for::<T>())
    }

    /// Like this type, or empty.
    #[must_use]
    pub fn or_empty<T: JsonSchema>() -> Self {
        Self::OrEmpty(|generator| generator.subschema_for::<T>())
    }

    /// An object with a list of such under this name.
    #[must_use]
    pub fn list_of<T: JsonSchema>(name: &'static str) -> Self {
        Self::List(name, |generator| generator.subschema_for::<T>())
    }

    /// The schema of this name, which is written elsewhere.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self::Json(reference(name))
    }

    /// Text.
    #[must_use]
    pub fn text() -> Self {
        Self::Json(json!({ "type": "string" }))
    }

    fn write(&self, generator: &mut SchemaGenerator) -> Value {
        match self {
            Self::Type(schema) => schema(generator).to_value(),
            Self::OrEmpty(schema) => json!({ "anyOf": [schema(generator).to_value(), { "const": "" }] }),
            Self::List(name, schema) => {
                let items = schema(generator).to_value();
                json!({
                    "type": "object",
                    "required": [name],
                    "properties": { *name: { "type": "array", "items": items } },
                })
            }
            Self::Json(schema) => schema.clone(),
        }
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Type(_) => "Type",
            Self::OrEmpty(_) => "OrEmpty",
            Self::List(..) => "List",
            Self::Json(_) => "Json",
        })
    }
}

/// A reference to the schema of this name.
#[must_use]
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("{SCHEMAS}{name}") })
}

/// Gathers the schemas of a document. What is written and what is read can differ in one type: a field that has a
/// default is always there in an answer, and need not be in a body.
pub struct Schemas {
    written: SchemaGenerator,
    read: SchemaGenerator,
    own: Map<String, Value>,
}

impl Default for Schemas {
    fn default() -> Self {
        let settings = |path: &'static str| {
            SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = path.into())
        };
        Self {
            written: settings("/components/schemas").for_serialize().into_generator(),
            read: settings("/components/read").for_deserialize().into_generator(),
            own: Map::new(),
        }
    }
}

impl Schemas {
    /// The schema of what is written.
    pub fn written(&mut self, shape: &Shape) -> Value {
        shape.write(&mut self.written)
    }

    /// The schema of what is read. It holds from [`Schemas::finish`] on.
    pub fn read(&mut self, shape: &Shape) -> Value {
        shape.write(&mut self.read)
    }

    /// What makes schemas of what is written.
    pub const fn generator(&mut self) -> &mut SchemaGenerator {
        &mut self.written
    }

    /// What makes schemas of what is read. What they refer to holds from [`Schemas::finish`] on.
    pub const fn reader(&mut self) -> &mut SchemaGenerator {
        &mut self.read
    }

    /// A schema under a name of its own.
    pub fn add(&mut self, name: impl Into<String>, schema: Value) {
        self.own.insert(name.into(), schema);
    }

    /// All schemas by name. In the document each reference is made one to those: what is read and written alike has one
    /// schema, what is not has a second one whose name ends with `Input`.
    pub fn finish(mut self, document: &mut Value) -> Map<String, Value> {
        let mut all = self.written.take_definitions(false);
        let read = self.read.take_definitions(false);
        let differing = differing(&read, &all);
        let rename = |name: &str| match differing.contains(name) {
            true => format!("{SCHEMAS}{name}Input"),
            false => format!("{SCHEMAS}{name}"),
        };
        for (name, mut schema) in read {
            redirect(&mut schema, &rename);
            if differing.contains(&name) {
                all.insert(format!("{name}Input"), schema);
            } else {
                all.entry(name).or_insert(schema);
            }
        }
        redirect(document, &rename);
        for (name, mut schema) in self.own {
            redirect(&mut schema, &rename);
            all.insert(name, schema);
        }
        all
    }
}

/// The names whose schemas, or those that they refer to, are not the same in both.
fn differing(read: &Map<String, Value>, written: &Map<String, Value>) -> BTreeSet<String> {
    let plain = |schema: &Value| {
        let mut schema = schema.clone();
        redirect(&mut schema, &|name| format!("{SCHEMAS}{name}"));
        schema
    };
    let mut differing: BTreeSet<String> = read
        .iter()
        .filter(|(name, schema)| written.get(*name).is_some_and(|other| *other != plain(schema)))
        .map(|(name, _)| name.clone())
        .collect();
    loop {
        let more: Vec<String> = read
            .iter()
            .filter(|(name, _)| !differing.contains(*name) && written.contains_key(*name))
            .filter(|(_, schema)| refers_to(schema, &differing))
            .map(|(name, _)| name.clone())
            .collect();
        if more.is_empty() {
            return differing;
        }
        differing.extend(more);
    }
}

fn refers_to(schema: &Value, names: &BTreeSet<String>) -> bool {
    match schema {
        Value::Object(members) => members.iter().any(|(name, value)| match (name.as_str(), value) {
            ("$ref", Value::String(target)) => {
                target.strip_prefix(READ).is_some_and(|name| names.contains(name))
            }
            (_, value) => refers_to(value, names),
        }),
        Value::Array(values) => values.iter().any(|value| refers_to(value, names)),
        _ => false,
    }
}

/// Makes each reference to what is read one to where `rename` says.
fn redirect(value: &mut Value, rename: &impl Fn(&str) -> String) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(target) if name == "$ref" => {
                        if let Some(read) = target.strip_prefix(READ) {
                            *target = rename(read);
                        }
                    }
                    value => redirect(value, rename),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| redirect(value, rename)),
        _ => {}
    }
}
