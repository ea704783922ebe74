//! The schemas of a module's records and moves, out of its description.

use serde_json::{Map, Value, json};
use tidewatch_modules::{Field, FieldKind, Input, InputKind, Module, MoveRule};

use super::schemas::reference;

/// The names of a module's schemas: `Settlement`, `NewSettlement`, `SettlementMove`, ….
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// A record.
    pub record: String,
    /// What is given for a new one.
    pub new: String,
    /// One of its moves.
    pub step: String,
    /// A move for many.
    pub bulk: String,
    /// A page of records.
    pub page: String,
    /// All records that were asked for.
    pub export: String,
}

impl Names {
    /// The names of this module's schemas.
    #[must_use]
    pub fn of(module: &Module) -> Self {
        let record = module.aggregate_type.to_string();
        Self {
            new: format!("New{record}"),
            step: format!("{record}Move"),
            bulk: format!("{record}BulkMove"),
            page: format!("{record}Page"),
            export: format!("{record}Export"),
            record,
        }
    }
}

/// All schemas of a module, by name. `new` and `step` are those of what is given for a new one and for a move, where the
/// types tell; else they are made of the module's inputs.
#[must_use]
pub fn schemas(module: &Module, new: Option<Value>, step: Option<&Value>) -> Vec<(String, Value)> {
    let names = Names::of(module);
    let mut schemas = vec![
        (names.record.clone(), record(module)),
        (names.page.clone(), page(module, &names)),
        (names.export.clone(), export(module)),
        (names.step.clone(), one_of(&names.step, module)),
        (names.bulk.clone(), bulk(module)),
        (names.new.clone(), new_schema(module, new)),
    ];
    schemas.extend(module.moves.iter().map(|rule| {
        let schema = step_schema(module, rule, step.and_then(|steps| variant(steps, &rule.name)));
        (step_name(&names.step, &rule.name), schema)
    }));
    schemas.push((step_name(&names.step, ASSIGN), assign(module)));
    schemas
}

/// The one of several that is this move.
fn variant(steps: &Value, name: &str) -> Option<Value> {
    steps["oneOf"].as_array()?.iter().find(|step| step["properties"]["move"]["const"] == name).cloned()
}

/// The move that all records have: somebody looks after it.
const ASSIGN: &str = "assign";

/// The name of the schema of one move: `SettlementMoveHold`.
fn step_name(all: &str, name: &str) -> String {
    let words = name.split('_').map(|word| {
        let (first, rest) = word.split_at(1.min(word.len()));
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    format!("{all}{}", words.collect::<String>())
}

fn record(module: &Module) -> Value {
    let id = format!("{}_01kaghsp3mfvy8e4v0h6x2t9rd", module.prefix);
    let statuses: Vec<&str> = module.statuses.iter().map(|status| &*status.name).collect();
    let moves: Vec<Value> = module
        .moves_from(statuses.first().copied().unwrap_or_default())
        .map(|rule| json!(rule.name))
        .collect();
    let mut properties = json!({
        "id": { "type": "string", "pattern": format!("^{}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$", module.prefix),
                "description": "Which one.", "examples": [id] },
        "status": { "type": "string", "enum": statuses, "description": "Where it stands." },
        "version": { "type": "integer", "format": "int64", "minimum": 1,
                     "description": "One more with each change." },
        "organizationId": { "anyOf": [reference("OrganizationId"), { "type": "null" }],
                            "description": "The organization that it belongs to, beside the project." },
        "assignee": { "anyOf": [reference("UserId"), { "type": "null" }],
                      "description": "The person who looks after it." },
        "createdAt": { "allOf": [reference("Timestamp")], "description": "When it was made." },
        "updatedAt": { "allOf": [reference("Timestamp")], "description": "When it last changed." },
        "moves": { "type": "array", "items": { "type": "string" }, "examples": [moves],
                   "description": "The names of the moves that whoever asks may have it make now." },
        "position": { "allOf": [reference("Position")],
                      "description": "Where a stream goes on that misses nothing of what comes later. Not in lists." },
    });
    if let Some(properties) = properties.as_object_mut() {
        properties.extend(module.fields.iter().map(|field| (field.name.to_string(), field_schema(field))));
    }
    json!({
        "type": "object",
        "description": format!("One of the {}.", module.title.to_lowercase()),
        "required": ["id", "status", "version", "createdAt", "updatedAt", "moves"],
        "properties": properties,
    })
}

fn field_schema(field: &Field) -> Value {
    let described = |mut schema: Value| {
        schema["description"] = format!("{}.", field.label).into();
        schema
    };
    // A field may hold nothing yet.
    match &field.kind {
        FieldKind::Money => {
            described(json!({ "type": ["integer", "null"], "format": "int64", "examples": [125_000] }))
        }
        FieldKind::Number | FieldKind::Duration | FieldKind::Progress { .. } => {
            described(json!({ "type": ["integer", "null"], "format": "int64", "examples": [3] }))
        }
        FieldKind::Time => described(
            json!({ "type": ["string", "null"], "format": "date-time", "examples": ["2026-11-20T20:43:52.832Z"] }),
        ),
        FieldKind::Link | FieldKind::Person | FieldKind::Organization => {
            described(json!({ "type": ["string", "null"], "examples": [null] }))
        }
        FieldKind::Text | FieldKind::Tag { .. } | FieldKind::Paragraph | FieldKind::Code => {
            let example = field.choices.first().map_or(&*field.label, |choice| choice);
            described(json!({ "type": ["string", "null"], "examples": [example] }))
        }
    }
}

/// What the events of a module say of a record: it stands there whole, as it is afterwards. `more` is said beside it.
#[must_use]
pub fn event_payload(module: &Module, more: Value) -> Value {
    let Value::Object(mut properties) = record(module)["properties"].take() else { return json!({}) };
    for only_in_answers in ["version", "updatedAt", "moves", "position"] {
        properties.remove(only_in_answers);
    }
    let id_field = module.id_field();
    if let Some(id) = properties.remove("id") {
        properties.insert(id_field.clone(), id);
    }
    if let Value::Object(more) = more {
        properties.extend(more);
    }
    json!({
        "type": "object",
        "description": format!("One of the {}, as it is afterwards. What holds nothing is not there.", module.title.to_lowercase()),
        "required": [id_field, "status", "createdAt"],
        "properties": properties,
    })
}

fn page(module: &Module, names: &Names) -> Value {
    json!({
        "type": "object",
        "description": format!("A page of {}.", module.title.to_lowercase()),
        "required": [module.name, "next", "position"],
        "properties": {
            &*module.name: { "type": "array", "items": reference(&names.record) },
            "next": { "type": ["string", "null"], "description": "`after` of the following page; null on the last.",
                      "examples": [null] },
            "position": { "allOf": [reference("Position")], "description": "Where the stream stood when this was read." },
            "total": { "allOf": [reference("Total")], "description": "How many there are, where `total=true` asked for it." },
        },
    })
}

/// A file says what a record is, and nothing of what whoever asked may do with it.
fn export(module: &Module) -> Value {
    let mut one = record(module);
    one["required"] = json!(["id", "status", "version", "createdAt", "updatedAt"]);
    if let Some(properties) = one["properties"].as_object_mut() {
        properties.remove("moves");
        properties.remove("position");
    }
    json!({
        "type": "array",
        "description": format!("All {} that were asked for: `export=json`.", module.title.to_lowercase()),
        "items": one,
    })
}

fn input_schema(input: &Input) -> Value {
    let mut schema = match &input.kind {
        InputKind::Text | InputKind::Paragraph => {
            json!({ "type": "string", "minLength": 1, "examples": [input.label] })
        }
        InputKind::Number => json!({ "type": "integer", "format": "int64", "examples": [60] }),
        InputKind::Money => json!({ "type": "integer", "format": "int64", "examples": [125_000] }),
        InputKind::Choice(choices) => json!({ "type": "string", "enum": choices }),
        InputKind::Organization => json!({ "allOf": [reference("OrganizationId")] }),
    };
    let unit = if input.kind == InputKind::Money { ", in minor units" } else { "" };
    schema["description"] = match &input.hint {
        Some(hint) => format!("{}{unit}. {hint}", input.label),
        None => format!("{}{unit}.", input.label),
    }
    .into();
    schema
}

/// An object of these properties and inputs.
fn object(
    description: &str,
    mut properties: Map<String, Value>,
    mut required: Vec<String>,
    inputs: &[Input],
) -> Value {
    properties.extend(inputs.iter().map(|input| (input.name.to_string(), input_schema(input))));
    required.extend(inputs.iter().filter(|input| input.required).map(|input| input.name.to_string()));
    json!({ "type": "object", "description": description, "required": required, "properties": properties })
}

fn version() -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 1, "examples": [7],
            "description": "The `version` that the caller acted on. Where it is another one by now: 409." })
}

/// What is given for a new one. What no type tells of, and people do not make by hand, says no more than its fields.
fn new_schema(module: &Module, typed: Option<Value>) -> Value {
    let description = format!("What is given for a new {}.", module.one);
    let inputs = module.new.as_deref().unwrap_or_default();
    let mut schema = match typed.filter(|typed| typed["properties"].is_object()) {
        Some(typed) => typed,
        None if module.new.is_some() => object(&description, Map::new(), Vec::new(), inputs),
        None => {
            let fields = module.fields.iter().map(|field| (field.name.to_string(), field_schema(field)));
            object(&description, fields.collect(), Vec::new(), &[])
        }
    };
    narrow(&mut schema, inputs);
    schema["properties"]["organizationId"] = json!({
        "anyOf": [reference("OrganizationId"), { "type": "null" }],
        "description": "The organization that it belongs to.",
        "examples": [null],
    });
    schema
}

/// Says of properties that people enter what forms know of them: the words to choose from, and what is meant.
fn narrow(schema: &mut Value, inputs: &[Input]) {
    for input in inputs {
        let Some(property) = schema["properties"].get_mut(&*input.name).and_then(Value::as_object_mut) else {
            continue;
        };
        property.remove("default");
        // A type of its own takes more than forms offer.
        let is_text = property.contains_key("type");
        if let InputKind::Choice(choices) = &input.kind {
            if !is_text {
                continue;
            }
            // Where none has to be given, the type is ["string", "null"], and null is one of the words.
            let null = property["type"].is_array().then_some(Value::Null);
            let words = choices.iter().map(|choice| json!(choice)).chain(null);
            property.insert("enum".to_owned(), words.collect());
        } else if is_text {
            let known = input_schema(input);
            let example = known.get("examples").cloned();
            property.extend(example.map(|example| ("examples".to_owned(), example)));
        }
        property.entry("description").or_insert_with(|| input_schema(input)["description"].clone());
    }
}

/// What a move does, in words.
fn what_it_does(module: &Module, rule: &MoveRule) -> String {
    let from = rule.from.join("`, `");
    let to = if rule.to.is_empty() {
        "the status stays".to_owned()
    } else {
        format!("to `{}`", rule.to.join("` or `"))
    };
    let permission = rule.requires.as_ref().map_or_else(
        || format!("Needs the permission `{}`.", module.act),
        |permission| format!("Needs the permissions `{}` and `{permission}`.", module.act),
    );
    format!("From `{from}`; {to}. {permission}")
}

fn step_schema(module: &Module, rule: &MoveRule, typed: Option<Value>) -> Value {
    let does = what_it_does(module, rule);
    let mut schema = typed.unwrap_or_else(|| {
        let name = Map::from_iter([("move".to_owned(), json!({ "const": rule.name }))]);
        object("", name, vec!["move".to_owned()], &rule.inputs)
    });
    narrow(&mut schema, &rule.inputs);
    schema["description"] = match schema["description"].as_str() {
        None | Some("") => does.into(),
        Some(said) => format!("{said} {does}").into(),
    };
    schema["properties"]["expectedVersion"] = version();
    if let Some(required) = schema["required"].as_array_mut() {
        required.push("expectedVersion".into());
    }
    schema
}

fn assign(module: &Module) -> Value {
    json!({
        "type": "object",
        "description": format!("Say who looks after it. Needs the permission `{}`.", module.act),
        "required": ["move", "expectedVersion", "assignee"],
        "properties": {
            "move": { "const": ASSIGN },
            "expectedVersion": version(),
            "assignee": { "anyOf": [reference("UserId"), { "type": "null" }], "description": "Who; null: nobody." },
        },
    })
}

/// All moves, told apart by `move`.
fn one_of(all: &str, module: &Module) -> Value {
    let known = || module.moves.iter().map(|rule| &*rule.name).chain([ASSIGN]);
    let mapping: Map<String, Value> = known()
        .map(|name| {
            let target = reference(&step_name(all, name))["$ref"].clone();
            (name.to_owned(), target)
        })
        .collect();
    json!({
        "description": format!("A move of the {}. What is not here is not possible.", module.title.to_lowercase()),
        "oneOf": known().map(|name| reference(&step_name(all, name))).collect::<Vec<_>>(),
        "discriminator": { "propertyName": "move", "mapping": mapping },
    })
}

fn bulk(module: &Module) -> Value {
    let moves: Vec<&str> = module.moves.iter().filter(|rule| rule.bulk).map(|rule| &*rule.name).collect();
    let example = moves.first().copied().unwrap_or(ASSIGN);
    let moves = if moves.is_empty() {
        json!({ "type": "string" })
    } else {
        json!({ "type": "string", "enum": moves })
    };
    json!({
        "type": "object",
        "description": "One move for many records: for those with these ids, or for all that the query finds. What the \
                        move takes is given beside it.",
        "required": ["move"],
        "properties": {
            "move": moves,
            "ids": { "type": "array", "items": reference("RecordId"), "minItems": 1, "maxItems": 10_000 },
            "query": { "$ref": "#/components/read/RecordQuery" },
            "dryRun": { "type": "boolean", "default": false, "description": "Only count how many could make it." },
        },
        "oneOf": [{ "required": ["ids"] }, { "required": ["query"] }],
        "examples": [{ "move": example, "ids": [format!("{}_01kaghsp3mfvy8e4v0h6x2t9rd", module.prefix)] }],
    })
}
