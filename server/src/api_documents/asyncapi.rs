//! The AsyncAPI document ([3.0](https://www.asyncapi.com/docs/reference/specification/v3.0.0)): what streams, the gateway
//! and webhooks say, out of the catalog of events.

use serde_json::{Map, Value, json};
use tidewatch_events::catalog::{self, CatalogEntry};
use tidewatch_events::id::{OrganizationId, UserId};
use tidewatch_events::stream::{
    BATCH, CONNECTED, Connected, HEARTBEAT, Heartbeat, SYSTEM_MESSAGE, SystemMessage,
};
use tidewatch_events::{Channel, Envelope, Timestamp};
use tidewatch_modules::Module;

use super::schemas::{Schemas, Shape, reference};
use super::{example, records};
use crate::domain::Modules;
use crate::gateway::{Acknowledge, Listen, Remove};

const DESCRIPTION: &str = "\
The events of Tidewatch, and the three ways in which they are told: a stream of Server-Sent Events, a Socket.IO gateway, \
and webhooks. All three ask the same rule who may see an event: its project, all of its permissions, and its audience. An \
event is delivered at least once and in order; who has seen it knows it by `eventId`. The calls that open and steer them \
are in the OpenAPI document.";

/// The message of events that a developer declared or a service published.
const OTHER: &str = "other";
/// The message that carries an event on a channel of the gateway.
const CHANNEL_EVENT: &str = "channel_event";
/// What clients send to the gateway.
const ASKED: [&str; 3] = ["listen", "remove", "acknowledge"];

/// The document of the catalog and of what the installation's own modules tell.
#[must_use]
pub fn document(modules: &Modules) -> Value {
    let mut schemas = Schemas::default();
    refer_to_what_is_named(&mut schemas);
    let mut messages = Map::new();
    for entry in catalog::entries() {
        let payload = entry.payload_schema(schemas.generator()).to_value();
        messages.insert(entry.event_type.to_string(), event_message(entry, &payload));
    }
    messages.extend(modules.own().flat_map(messages_of_module));
    let events: Vec<String> = messages.keys().cloned().collect();
    messages.insert(OTHER.to_owned(), other_message(&mut schemas));
    messages.extend(control_messages(&mut schemas));
    messages.extend(gateway_messages(&mut schemas));
    let names = |more: &[&str]| -> Vec<String> {
        let types = events.iter().cloned();
        types.chain([OTHER.to_owned()]).chain(more.iter().map(|name| (*name).to_owned())).collect()
    };
    let told = names(&[CONNECTED, HEARTBEAT, BATCH, SYSTEM_MESSAGE]);
    let answered = vec![CHANNEL_EVENT.to_owned(), SYSTEM_MESSAGE.to_owned()];
    let asked: Vec<String> = ASKED.map(ToOwned::to_owned).to_vec();
    let both: Vec<String> = asked.iter().chain(&answered).cloned().collect();
    let mut messages = Value::Object(messages);
    let schemas = schemas.finish(&mut messages);
    give_examples(&mut messages, &schemas);
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tidewatch events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": DESCRIPTION,
            "license": { "name": "MIT" },
        },
        "defaultContentType": "application/json",
        "servers": servers(),
        "channels": {
            "stream": {
                "address": "/api/v1/events",
                "title": "The stream",
                "description": "Server-Sent Events: `GET` with `Accept: text/event-stream`. `event:` is the event's type, \
                                `id:` its id, by which a reader resumes, and `data:` the envelope in one line.",
                "servers": [{ "$ref": "#/servers/http" }],
                "bindings": { "http": {} },
                "messages": messages_of(&told),
            },
            "gateway": {
                "address": "/socket.io/",
                "title": "The gateway",
                "description": "Socket.IO v4, with an API key or an access token as `auth.token`. The name of a message is \
                                the name of its Socket.IO event: `channel_event` is sent as `event`.",
                "servers": [{ "$ref": "#/servers/gateway" }],
                "messages": messages_of(&both),
            },
            "webhooks": {
                "address": null,
                "title": "Webhooks",
                "description": "`POST` to the address of each endpoint, signed as Standard Webhooks has it. The body is \
                                `{type, timestamp, data}`; `data` is the envelope that these messages have.",
                "messages": messages_of(&names(&[])),
            },
        },
        "operations": {
            "streamEvents": operation("send", "stream", "Stream events to a reader", &told),
            "sendChannelEvents": operation("send", "gateway", "Send a channel's events to a client", &answered),
            "takeChannelRequests": operation("receive", "gateway", "Take what a client asks for", &asked),
            "sendWebhooks": operation("send", "webhooks", "Tell an endpoint of events", &names(&[])),
        },
        "components": { "messages": messages, "schemas": schemas, "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key (`tw_…`) or an access token. The stream takes a session's cookie as well.",
            },
        } },
    })
}

fn servers() -> Value {
    let server = |protocol: &str, description: &str| {
        json!({
            "host": "{host}",
            "protocol": protocol,
            "description": description,
            "variables": { "host": { "default": "127.0.0.1:3000", "description": "Where this server can be reached." } },
            "security": [{ "$ref": "#/components/securitySchemes/bearer" }],
        })
    };
    json!({
        "http": server("http", "Over TLS: `https`."),
        "gateway": server("socketio", "Socket.IO over WebSocket or long-polling."),
    })
}

fn messages_of(names: &[String]) -> Value {
    names
        .iter()
        .map(|name| (name.clone(), json!({ "$ref": format!("#/components/messages/{name}") })))
        .collect::<Map<_, _>>()
        .into()
}

fn operation(action: &str, channel: &str, summary: &str, names: &[String]) -> Value {
    let messages: Vec<Value> =
        names.iter().map(|name| json!({ "$ref": format!("#/channels/{channel}/messages/{name}") })).collect();
    json!({
        "action": action,
        "channel": { "$ref": format!("#/channels/{channel}") },
        "summary": summary,
        "messages": messages,
    })
}

fn event_message(entry: &CatalogEntry, payload: &Value) -> Value {
    described_event(
        entry.event_type.as_str(),
        entry.summary.trim(),
        entry.permission.as_str(),
        entry.aggregate_type.as_str(),
        &json!({ "const": entry.event_type }),
        payload,
    )
}

fn described_event(
    name: &str,
    summary: &str,
    permission: &str,
    aggregate_type: &str,
    event_type: &Value,
    payload: &Value,
) -> Value {
    json!({
        "name": name,
        "title": name,
        "summary": summary,
        "description": format!("Whoever sees it needs the permission `{permission}`, and is among its audience where it \
                                has one."),
        "tags": [{ "name": permission, "description": "The permission that it takes to see it." },
                 { "name": aggregate_type, "description": "What it happens to." }],
        "payload": {
            "allOf": [reference("Envelope")],
            "type": "object",
            "required": ["eventType", "aggregateType", "payload"],
            "properties": {
                "eventType": event_type,
                "aggregateType": { "const": aggregate_type },
                "payload": payload,
            },
        },
    })
}

/// What schemas of modules refer to by name.
fn refer_to_what_is_named(schemas: &mut Schemas) {
    let generator = schemas.generator();
    generator.subschema_for::<Envelope>();
    generator.subschema_for::<OrganizationId>();
    generator.subschema_for::<Timestamp>();
    generator.subschema_for::<UserId>();
}

/// What a module of the installation's own tells: the usual types by name, and those that its moves name in one.
fn messages_of_module(module: &Module) -> Vec<(String, Value)> {
    let one = &module.one;
    let status = |what: &str| json!({ "type": "string", "description": what, "examples": [module.statuses.first().map(|status| &status.name)] });
    let usual = [
        ("created", format!("A {one} was made."), json!({})),
        (
            "status_changed",
            format!("A {one} made a move and stands elsewhere."),
            json!({ "fromStatus": status("Where it stood before."), "toStatus": status("Where it stands now.") }),
        ),
        (
            "updated",
            format!("Something about a {one} changed, such as who looks after it."),
            json!({ "changed": { "type": "array", "items": { "type": "string" }, "examples": [["assignee"]],
                                 "description": "What changed." } }),
        ),
    ];
    let usual = usual.into_iter().map(|(what, summary, more)| {
        let event_type = format!("{one}.{what}");
        let kind = json!({ "const": event_type });
        (event_type.clone(), module_message(module, &event_type, &summary, &kind, more))
    });
    let named = module_message(
        module,
        &format!("{one}.*"),
        &format!("Another thing that happened to a {one}: moves can name types of their own."),
        &json!({ "type": "string", "pattern": format!("^{one}\\."), "examples": [format!("{one}.other")] }),
        json!({}),
    );
    usual.chain([(format!("{one}.other"), named)]).collect()
}

fn module_message(module: &Module, name: &str, summary: &str, event_type: &Value, more: Value) -> Value {
    described_event(
        name,
        summary,
        module.read.as_str(),
        module.aggregate_type.as_str(),
        event_type,
        &records::event_payload(module, more),
    )
}

fn other_message(schemas: &mut Schemas) -> Value {
    json!({
        "name": OTHER,
        "title": "An event of another type",
        "summary": "A type that a developer declared or a service published.",
        "description": "Its payload is whatever its publisher sent. Whoever sees it needs the permissions that it was \
                        published with.",
        "payload": schemas.written(&Shape::of::<Envelope>()),
    })
}

fn control_messages(schemas: &mut Schemas) -> Map<String, Value> {
    let message = |name: &str, summary: &str, payload: Value| {
        let message = json!({ "name": name, "title": name, "summary": summary, "payload": payload });
        (name.to_owned(), message)
    };
    Map::from_iter([
        message(
            CONNECTED,
            "The first message of a stream: which connection it is and where it begins.",
            schemas.written(&Shape::of::<Connected>()),
        ),
        message(
            HEARTBEAT,
            "Shows that the stream is alive. Its `id:` is a token of the position, by which a reader resumes.",
            schemas.written(&Shape::of::<Heartbeat>()),
        ),
        message(
            BATCH,
            "Events that came within the milliseconds that `batch` asked for.",
            json!({ "type": "array", "minItems": 1, "items": reference("Envelope") }),
        ),
        message(
            SYSTEM_MESSAGE,
            "What the service says of the stream itself. Some codes end it.",
            schemas.written(&Shape::of::<SystemMessage>()),
        ),
    ])
}

fn gateway_messages(schemas: &mut Schemas) -> Map<String, Value> {
    let [listen, remove, acknowledge] = ASKED;
    let asked = |name: &str, summary: &str, payload: Value| {
        let message = json!({ "name": name, "title": name, "summary": summary, "payload": payload });
        (name.to_owned(), message)
    };
    let channel = schemas.written(&Shape::of::<Channel>());
    Map::from_iter([
        asked(
            listen,
            "Have a channel's events sent from now on, or from a position. A private channel takes a signed token.",
            schemas.read(&Shape::of::<Listen>()),
        ),
        asked(remove, "Have them sent no longer.", schemas.read(&Shape::of::<Remove>())),
        asked(
            acknowledge,
            "Say that what a notification tells of is done.",
            schemas.read(&Shape::of::<Acknowledge>()),
        ),
        (
            CHANNEL_EVENT.to_owned(),
            json!({
                "name": "event",
                "title": "event",
                "summary": "An event, and the channel on which it came.",
                "payload": {
                    "allOf": [reference("Envelope")],
                    "type": "object",
                    "required": ["channelName"],
                    "properties": { "channelName": channel },
                },
            }),
        ),
    ])
}

/// Gives an example to each message.
fn give_examples(messages: &mut Value, schemas: &Map<String, Value>) {
    for message in messages.as_object_mut().into_iter().flat_map(|messages| messages.values_mut()) {
        let payload = example::of(&message["payload"], schemas);
        message["examples"] = json!([{ "payload": payload }]);
    }
}
