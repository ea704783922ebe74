//! The OpenAPI document ([3.1](https://spec.openapis.org/oas/v3.1.1.html)).

use std::collections::{BTreeMap, BTreeSet};

use http::{Method, StatusCode};
use serde_json::{Map, Value, json};
use tidewatch_events::id::{CommentId, OrganizationId, RecordId, UserId};
use tidewatch_events::{Envelope, Permission, Position, Timestamp};
use tidewatch_modules::RecordQuery;

use super::operation::{Answer, Content, Operation, PROJECT, Parameter};
use super::schemas::{Schemas, Shape, reference};
use super::tags::TAGS;
use super::{example, problems, records};
use crate::domain::Modules;
use crate::http::problem::CONTENT_TYPE_PROBLEM;
use crate::http::problem_kind::ProblemKind;

const DESCRIPTION: &str = "\
Tidewatch records what happens to the things of a business together with the change itself, and streams it to whoever \
may see it.

**Authentication.** Programs send an API key as `Authorization: Bearer tw_…`. People send an access token, which \
`POST /api/v1/auth/token` gives for e-mail and password, in the same header. The dashboard's own pages use the session's \
cookie. A key and a token belong to one project; a session names its project by the parameter `project`.

**Errors** are problem details (RFC 9457, `application/problem+json`). Programs go by `type`, which stays the same.

**Parameters and fields** are read strictly: one that an operation does not know is an error, since a filter that is \
silently ignored shows more than was asked for.

**Every answer** names its request in the header `x-request-id`, by which the service's log finds it. What changes \
something carries `x-correlation-id` and `traceparent` of its request into its events.

Names are camelCase. Money is an integer of minor units and an ISO 4217 code. Times are RFC 3339 in UTC.";

/// The document of these operations.
#[must_use]
pub fn document(operations: &[Operation], modules: &Modules) -> Value {
    let mut schemas = Schemas::default();
    for module in modules.descriptions() {
        let bodies = modules.bodies(&module.name);
        let new = bodies.map(|bodies| (bodies.new)(schemas.reader()).to_value());
        let step = bodies.map(|bodies| (bodies.step)(schemas.reader()).to_value());
        for (name, schema) in records::schemas(module, new, step.as_ref()) {
            schemas.add(name, schema);
        }
    }
    problems::schemas().into_iter().for_each(|(name, schema)| schemas.add(name, schema));
    refer_to_what_is_named(&mut schemas);
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations {
        let method = operation.method.as_str().to_ascii_lowercase();
        paths.entry(&operation.path).or_default().insert(method, write(operation, &mut schemas));
    }
    let mut paths = json!(paths);
    let schemas = schemas.finish(&mut paths);
    give_examples(&mut paths, &schemas);
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tidewatch",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Events as durable as the change they tell of, live and replayed.",
            "description": DESCRIPTION,
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/", "description": "The server that gave this document." }],
        "security": [{ "bearer": [] }, { "session": [] }],
        "tags": tags(operations, modules),
        "paths": paths,
        "components": {
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key (`tw_…`) or an access token (a JWT).",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "tidewatch_session",
                    "description": "The cookie of a browser's session. Over TLS its name is `__Host-tidewatch_session`.",
                },
            },
            "parameters": { "project": project() },
            "examples": problem_examples(&schemas),
            "schemas": schemas,
        },
    })
}

/// What schemas that are written by hand refer to by name.
fn refer_to_what_is_named(schemas: &mut Schemas) {
    let generator = schemas.generator();
    generator.subschema_for::<Envelope>();
    generator.subschema_for::<OrganizationId>();
    generator.subschema_for::<Permission>();
    generator.subschema_for::<Position>();
    generator.subschema_for::<RecordId>();
    generator.subschema_for::<Timestamp>();
    generator.subschema_for::<tidewatch_app::model::Total>();
    generator.subschema_for::<CommentId>();
    generator.subschema_for::<UserId>();
    schemas.read(&Shape::of::<RecordQuery>());
}

fn tags(operations: &[Operation], modules: &Modules) -> Vec<Value> {
    let used: BTreeSet<&str> = operations.iter().map(|operation| &*operation.tag).collect();
    let of_modules = modules.descriptions().map(|module| {
        let description =
            format!("The {} of the project, and the moves that they make.", module.title.to_lowercase());
        (module.title.to_string(), description)
    });
    TAGS.iter()
        .filter(|(name, _)| used.contains(name))
        .map(|(name, description)| ((*name).to_owned(), (*description).to_owned()))
        .chain(of_modules)
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect()
}

fn project() -> Value {
    json!({
        "name": PROJECT,
        "in": "query",
        "required": false,
        "description": "The slug of the project that the request is about. Without it: the key's or the token's, and of a \
                        session the one that the person joined first.",
        "schema": { "type": "string" },
        "example": "demo",
    })
}

fn write(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut parameters: Vec<Value> =
        operation.parameters.iter().map(|parameter| write_parameter(parameter, schemas)).collect();
    if operation.needs_caller {
        parameters.push(json!({ "$ref": "#/components/parameters/project" }));
    }
    let mut written = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "responses": write_answers(operation, schemas),
    });
    let mut set = |name: &str, value: Value| written[name] = value;
    if !operation.description.is_empty() {
        set("description", json!(operation.description));
    }
    if !parameters.is_empty() {
        set("parameters", json!(parameters));
    }
    if !operation.needs_caller {
        set("security", json!([]));
    }
    if !operation.body.is_empty() {
        let contents: Map<String, Value> = operation
            .body
            .iter()
            .map(|content| {
                let schema = schemas.read(&content.shape);
                (content.media_type.to_owned(), write_content(content, schema))
            })
            .collect();
        set("requestBody", json!({ "required": true, "content": contents }));
    }
    written
}

fn write_parameter(parameter: &Parameter, schemas: &mut Schemas) -> Value {
    json!({
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.place == "path",
        "description": parameter.description,
        "schema": schemas.read(&parameter.shape),
    })
}

fn write_content(content: &Content, schema: Value) -> Value {
    match &content.example {
        Some(example) => json!({ "schema": schema, "example": example }),
        None => json!({ "schema": schema }),
    }
}

fn write_answers(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut answers: BTreeMap<u16, Value> = BTreeMap::new();
    for answer in &operation.answers {
        answers.insert(answer.status.as_u16(), write_answer(answer, schemas));
    }
    let mut by_status: BTreeMap<u16, Vec<ProblemKind>> = BTreeMap::new();
    for problem in &operation.problems {
        by_status.entry(problem.status().as_u16()).or_default().push(*problem);
    }
    answers.extend(by_status.into_iter().map(|(status, kinds)| (status, write_problems(&kinds))));
    let answers: Map<String, Value> =
        answers.into_iter().map(|(status, answer)| (status.to_string(), answer)).collect();
    Value::Object(answers)
}

fn write_answer(answer: &Answer, schemas: &mut Schemas) -> Value {
    let mut headers: Map<String, Value> = answer
        .headers
        .iter()
        .map(|(name, description)| {
            let header = json!({ "description": description, "schema": { "type": "string" } });
            ((*name).to_owned(), header)
        })
        .collect();
    if answer.status == StatusCode::CREATED && headers.contains_key("Location") {
        headers["Location"]["schema"]["format"] = "uri-reference".into();
    }
    let mut written = json!({ "description": answer.description });
    if !headers.is_empty() {
        written["headers"] = Value::Object(headers);
    }
    if !answer.contents.is_empty() {
        let contents: Map<String, Value> = answer
            .contents
            .iter()
            .map(|content| {
                let schema = schemas.written(&content.shape);
                (content.media_type.to_owned(), write_content(content, schema))
            })
            .collect();
        written["content"] = Value::Object(contents);
    }
    written
}

fn write_problems(kinds: &[ProblemKind]) -> Value {
    let description: Vec<String> =
        kinds.iter().map(|kind| format!("`{}`: {}", kind.name(), kind.description().trim())).collect();
    let examples: Map<String, Value> = kinds
        .iter()
        .map(|kind| {
            let example = json!({ "$ref": format!("#/components/examples/{}", kind.name()) });
            (kind.name().to_owned(), example)
        })
        .collect();
    let schemas: Vec<Value> = kinds.iter().map(|kind| reference(&problems::schema_name(*kind))).collect();
    let schema = match schemas.as_slice() {
        [one] => one.clone(),
        several => json!({ "oneOf": several }),
    };
    let mut answer = json!({
        "description": description.join("\n\n"),
        "content": { CONTENT_TYPE_PROBLEM: { "schema": schema, "examples": examples } },
    });
    let status = kinds.first().map(|kind| kind.status());
    if matches!(status, Some(StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE)) {
        answer["headers"] = json!({ "Retry-After": {
            "description": "When to come again, in seconds.", "schema": { "type": "integer", "minimum": 0 },
        } });
    }
    answer
}

fn problem_examples(schemas: &Map<String, Value>) -> Value {
    let examples: Map<String, Value> = ProblemKind::ALL
        .iter()
        .map(|kind| {
            let example = json!({ "summary": kind.title(), "value": problems::example_of(*kind, schemas) });
            (kind.name().to_owned(), example)
        })
        .collect();
    Value::Object(examples)
}

/// Gives an example to each body that has none.
fn give_examples(paths: &mut Value, schemas: &Map<String, Value>) {
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE]
        .map(|method| method.as_str().to_ascii_lowercase());
    let operations = paths.as_object_mut().into_iter().flat_map(|paths| paths.values_mut());
    for operation in operations.flat_map(|path| path.as_object_mut()).flatten() {
        let (method, operation) = operation;
        if !methods.contains(method) {
            continue;
        }
        if let Some(contents) = operation.pointer_mut("/requestBody/content") {
            give_example_to_each(contents, schemas);
        }
        let answers = operation.get_mut("responses").and_then(Value::as_object_mut);
        for answer in answers.into_iter().flat_map(|answers| answers.values_mut()) {
            if let Some(contents) = answer.get_mut("content") {
                give_example_to_each(contents, schemas);
            }
        }
    }
}

fn give_example_to_each(contents: &mut Value, schemas: &Map<String, Value>) {
    for content in contents.as_object_mut().into_iter().flat_map(|contents| contents.values_mut()) {
        if content.get("example").is_none() && content.get("examples").is_none() {
            let made = example::of(&content["schema"], schemas);
            content["example"] = made;
        }
    }
}
