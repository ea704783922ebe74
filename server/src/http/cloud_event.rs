//! [CloudEvents 1.0](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md) that come in: in
//! structured mode (one JSON object) and in
//! [binary mode](https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md#31-binary-content-mode)
//! (attributes in `ce-` headers).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::HeaderMap;
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tidewatch_events::{AggregateType, Channel};

use super::json_body::{is_json, parse_any};
use super::problem::FieldProblem;
use crate::commands::publish::PublishRequest;
use crate::error::Error;

/// The header by which binary mode is known.
pub const SPECVERSION: &str = "ce-specversion";

/// A CloudEvent that was read.
#[derive(Debug)]
pub struct ReadEvent {
    /// What is to be published.
    pub request: PublishRequest,
    /// Which event it is: the same `source` and `id` are the same event.
    pub key: String,
}

/// Reads an event in structured mode. Its channel is in its extension `channelname`, or else it is
/// `channel`. `place` says where in the body it stands, for errors.
///
/// # Errors
/// 422 that names the attribute.
pub fn read(event: Value, channel: Option<&Channel>, place: &str) -> Result<ReadEvent, Error> {
    let Value::Object(mut attributes) = event else {
        return Err(Error::field(place.trim_end_matches('/'), "must be a CloudEvent, which is an object"));
    };
    let wrong = |name: &str, message: &str| {
        Err(Error::Fields(vec![FieldProblem::new(&format!("{place}{name}"), message)]))
    };
    if text(&attributes, "specversion") != Some("1.0") {
        return wrong("specversion", "must be \"1.0\"");
    }
    for name in ["id", "source", "type"] {
        if text(&attributes, name).is_none_or(str::is_empty) {
            return wrong(name, "is missing or no text");
        }
    }
    if attributes.contains_key("data_base64") {
        return wrong("data_base64", "is binary; events carry JSON in `data`");
    }
    if text(&attributes, "datacontenttype").is_some_and(|content_type| !is_json(content_type)) {
        return wrong("datacontenttype", "must be JSON");
    }
    let key = key(&attributes);
    let mut request = Map::new();
    if let Some(subject) = attributes.get("subject").and_then(Value::as_str) {
        let (kind, id) = read_subject(subject);
        request.insert("aggregateType".into(), json!(kind));
        request.insert("aggregateId".into(), id.into());
    }
    let channel = attributes.remove("channelname").or_else(|| channel.map(|channel| json!(channel)));
    request.extend(channel.map(|channel| ("channelName".into(), channel)));
    request.insert("payload".into(), attributes.remove("data").unwrap_or_default());
    for (attribute, field) in [
        ("type", "eventType"),
        ("time", "occurredAt"),
        ("aggregateversion", "aggregateVersion"),
        ("correlationid", "correlationId"),
        ("causationid", "causationId"),
        ("priority", "priority"),
    ] {
        request.extend(attributes.remove(attribute).map(|value| (field.into(), value)));
    }
    match serde_path_to_error::deserialize(Value::Object(request)) {
        Ok(request) => Ok(ReadEvent { request, key }),
        Err(error) => {
            let field = error.path().to_string();
            let message = error.into_inner().to_string();
            let (attribute, message) = match field.as_str() {
                "eventType" => ("type", message),
                "occurredAt" => ("time", message),
                "." if message.contains("channelName") => (
                    "channelname",
                    "is missing: give it as an extension, or as the parameter channelName".into(),
                ),
                other => (other, message),
            };
            wrong(&attribute.to_lowercase(), &message)
        }
    }
}

/// Reads an event in binary mode.
///
/// # Errors
/// 400 for headers that are no text, 422 that names the attribute.
pub fn read_binary(
    headers: &HeaderMap,
    content_type: &str,
    body: &Bytes,
    channel: Option<Channel>,
) -> Result<ReadEvent, Error> {
    let mut event = Map::new();
    for (name, value) in headers {
        let Some(attribute) = name.as_str().strip_prefix("ce-") else { continue };
        let value = value.to_str().map_err(|_| Error::parameter(name.as_str(), "is not text"))?;
        // All header values are text; only this attribute of ours is a number.
        let value = match (attribute, value.parse::<i64>()) {
            ("aggregateversion", Ok(number)) => number.into(),
            _ => Value::from(value),
        };
        event.insert(attribute.to_owned(), value);
    }
    if !body.is_empty() {
        event.insert("datacontenttype".into(), content_type.into());
        if is_json(content_type) {
            event.insert("data".into(), parse_any(body)?);
        }
    }
    read(Value::Object(event), channel.as_ref(), "")
}

fn text<'a>(attributes: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    attributes.get(name).and_then(Value::as_str)
}

/// Which event it is, in the alphabet of an idempotency key.
fn key(attributes: &Map<String, Value>) -> String {
    let mut hash = Sha256::new();
    for name in ["source", "id"] {
        hash.update(text(attributes, name).unwrap_or_default());
        hash.update([0]);
    }
    format!("cloudevent:{}", URL_SAFE_NO_PAD.encode(hash.finalize()))
}

/// `Order/ord_1` is an order; any other subject is a message about itself.
fn read_subject(subject: &str) -> (AggregateType, String) {
    match subject.split_once('/').map(|(kind, id)| (kind.parse(), id)) {
        Some((Ok(kind), id)) if !id.is_empty() => (kind, id.to_owned()),
        _ => (AggregateType::MESSAGE, subject.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn channel() -> Channel {
        "orders".parse().expect("a channel")
    }

    fn event() -> Value {
        json!({
            "specversion": "1.0", "id": "1", "source": "/shop", "type": "order.packed", "subject": "Parcel/p_1",
            "time": "2026-11-20T20:43:52.832Z", "channelname": "orders", "data": { "n": 1 },
        })
    }

    fn problem(event: Value) -> String {
        match read(event, None, "3/") {
            Err(Error::Fields(problems)) => problems[0].pointer.clone(),
            other => panic!("unexpected {other:?}"),
        }
    }

    #[test]
    fn reads_both_modes_alike() {
        let structured = read(event(), None, "").expect("an event");
        let mut headers = HeaderMap::new();
        for (name, value) in event().as_object().expect("an object") {
            if let Value::String(value) = value {
                let name: http::HeaderName = format!("ce-{name}").parse().expect("a name");
                headers.insert(name, value.parse().expect("a value"));
            }
        }
        let body = Bytes::from_static(b"{\"n\":1}");
        let binary = read_binary(&headers, "application/json", &body, None).expect("an event");
        for read in [&structured, &binary] {
            assert_eq!(read.request.channel_name, channel());
            assert_eq!(read.request.aggregate_type.as_ref().map(AggregateType::as_str), Some("Parcel"));
            assert_eq!(read.request.aggregate_id.as_deref(), Some("p_1"));
            assert_eq!(read.request.payload, json!({ "n": 1 }));
            assert!(read.request.occurred_at.is_some());
        }
        assert_eq!(structured.key, binary.key);
    }

    #[test]
    fn an_event_is_known_by_its_source_and_id() {
        let key = |name: &str, value: &str| {
            let mut event = event();
            event[name] = value.into();
            read(event, None, "").expect("an event").key
        };
        assert_eq!(key("type", "order.sent"), key("type", "order.packed"));
        assert_ne!(key("id", "2"), key("id", "1"));
        assert_ne!(key("source", "/a"), key("source", "/b"));
    }

    #[test]
    fn the_channel_is_its_own_or_the_request_s() {
        let mut event = event();
        event.as_object_mut().expect("an object").remove("channelname");
        assert_eq!(problem(event.clone()), "#/3/channelname");
        assert_eq!(read(event, Some(&channel()), "").expect("an event").request.channel_name, channel());
    }

    #[test]
    fn says_which_attribute_is_wrong() {
        for (name, value) in [
            ("specversion", json!("0.3")),
            ("id", json!("")),
            ("source", json!(7)),
            ("type", json!("Not.A.Type")),
            ("time", json!("yesterday")),
            ("data_base64", json!("AAAA")),
            ("datacontenttype", json!("image/png")),
        ] {
            let mut event = event();
            event[name] = value;
            assert_eq!(problem(event), format!("#/3/{name}"));
        }
    }
}
