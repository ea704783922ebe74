//! `/api/v1/publishers`: what services call to publish events and to let their users into private channels.

use axum::Json;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::routing::post;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use schemars::JsonSchema;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tidewatch_events::cloudevents::{BATCH_CONTENT_TYPE, CONTENT_TYPE as CLOUDEVENT};
use tidewatch_events::{Channel, EventId, Permission, Timestamp};

use crate::access::Caller;
use crate::api_documents::operation::JSON;
use crate::api_documents::{Operation, Routes, Shape};
use crate::commands::channels::sign;
use crate::commands::publish::{Idempotency, PublishRequest, Published, publish};
use crate::error::Error;
use crate::http::cloud_event::{self, ReadEvent};
use crate::http::json_body::{JsonBody, essence, is_json, parse, parse_any, read, read_bytes};
use crate::http::origin::ReadOrigin;
use crate::http::problem_kind::ProblemKind;
use crate::http::query::Query;
use crate::state::AppState;

/// Largest body of a publication, in bytes.
const MAX_PUBLISH_BYTES: usize = 8 * 1024 * 1024;
/// By which a request is known again
/// ([draft-ietf-httpapi-idempotency-key-header](https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/)).
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Says that an answer was given before.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// The routes.
pub fn routes() -> Routes {
    use ProblemKind::{
        IdempotencyKeyReused, InvalidParameter, Refused, RequestInFlight, StaleVersion, TooManyPublishes,
    };
    Routes::of("Publishing")
        .add(
            Method::POST,
            "/api/v1/publishers/events/publish",
            post(publish_events).layer(DefaultBodyLimit::max(MAX_PUBLISH_BYTES)),
            Operation::new("publishEvents", "Publish events")
                .describe(
                    "One event or up to 1,000, in one transaction: as durable as any other. Also as CloudEvents 1.0: \
                     structured, a batch, or binary by `ce-` headers; then `channelName` is a parameter.",
                )
                .needs("events.publish")
                .query::<Channel>("channelName", "For CloudEvents alone: where they go out.")
                .header(
                    "Idempotency-Key",
                    "Draw one for each publication: repeated with it, nothing is published twice.",
                    Shape::Json(json!({ "type": "string", "minLength": 1, "maxLength": 255 })),
                )
                .body_like(JSON, Shape::of::<Publication>())
                .for_example(json!({
                    "channelName": "board",
                    "eventType": "door.opened",
                    "payload": { "door": "north", "at": "07:58" },
                }))
                .body_like(CLOUDEVENT, Shape::Json(incoming_cloud_event()))
                .for_example(cloud_event_example())
                .body_like(BATCH_CONTENT_TYPE, Shape::Json(json!({ "type": "array", "items": incoming_cloud_event() })))
                .for_example(json!([cloud_event_example()]))
                .answers_with(StatusCode::ACCEPTED, "They are recorded.", JSON, Shape::of::<PublishedEvents>())
                .with_header("Idempotent-Replayed", "`true`: the answer was given before, and nothing was published now.")
                .gives([InvalidParameter, RequestInFlight, IdempotencyKeyReused, StaleVersion, Refused, TooManyPublishes]),
        )
        .post(
            "/api/v1/publishers/sign",
            sign_token,
            Operation::new("signChannelToken", "Sign a token for a private channel")
                .describe("It counts for 10 minutes, for this channel, and as long as the key that signed it.")
                .needs("tokens.sign")
                .body::<ChannelTokenRequest>()
                .for_example(json!({ "channelName": "private-desk", "subject": "user:usr_01kaghsp3mfvy8e4v0h6x2t9rd" }))
                .answers::<SignedToken>("The token, and until when it counts."),
        )
}

/// What is published: one event, or several. For the documents; it is read by hand, so that each error names its event.
#[derive(JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Publication {
    /// One event.
    One(Box<PublishRequest>),
    /// Several, in one transaction.
    Several(#[schemars(length(min = 1, max = 1_000))] Vec<PublishRequest>),
}

/// What a CloudEvent that is published has to have.
fn incoming_cloud_event() -> Value {
    json!({
        "type": "object",
        "description": "A CloudEvent 1.0 in structured JSON. Its source and id together are its idempotency key.",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": { "const": "1.0" },
            "id": { "type": "string", "minLength": 1 },
            "source": { "type": "string", "minLength": 1, "description": "A URI reference. It is not looked into.",
                        "examples": ["/doors"] },
            "type": { "type": "string", "minLength": 1 },
            "subject": { "type": "string" },
            "time": { "type": "string", "format": "date-time" },
            "datacontenttype": { "type": "string" },
            "data": {},
        },
    })
}

fn cloud_event_example() -> Value {
    json!({
        "specversion": "1.0", "id": "7", "source": "/doors", "type": "door.opened", "data": { "door": "north" },
    })
}

#[derive(Debug, Serialize, JsonSchema)]
struct PublishedEvents {
    events: Vec<PublishedEvent>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PublishedEvent {
    event_id: EventId,
}

type PublishAnswer = (StatusCode, [(HeaderName, HeaderValue); 1], Json<PublishedEvents>);

async fn publish_events(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    query: Query,
    headers: HeaderMap,
    request: Request,
) -> Result<PublishAnswer, Error> {
    caller.require(&Permission::EVENTS_PUBLISH)?;
    let channel: Option<Channel> = query.parse("channelName")?;
    let body = read_bytes(request, &state, MAX_PUBLISH_BYTES).await?;
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let reading = Reading { headers: &headers, content_type, channel, body: &body };
    let (events, own_key) = reading.events()?;
    let idempotency = read_idempotency_key(&headers)?
        .or(own_key)
        .map(|key| Idempotency { key, fingerprint: fingerprint(&query, content_type, &body) });
    let Published { events, replayed } = publish(&state, &caller, events, idempotency, origin).await?;
    let replayed = HeaderValue::from_static(if replayed { "true" } else { "false" });
    let events = events.into_iter().map(|event_id| PublishedEvent { event_id }).collect();
    Ok((StatusCode::ACCEPTED, [(IDEMPOTENT_REPLAYED, replayed)], Json(PublishedEvents { events })))
}

/// A publication on its way in.
struct Reading<'a> {
    headers: &'a HeaderMap,
    content_type: &'a str,
    channel: Option<Channel>,
    body: &'a Bytes,
}

impl Reading<'_> {
    /// The events, and the idempotency key that a single CloudEvent is by itself: its source and id say
    /// which one it is.
    fn events(self) -> Result<(Vec<PublishRequest>, Option<String>), Error> {
        let form = essence(self.content_type);
        if self.headers.contains_key(cloud_event::SPECVERSION) {
            let event = cloud_event::read_binary(self.headers, self.content_type, self.body, self.channel)?;
            return Ok((vec![event.request], Some(event.key)));
        }
        if form == CLOUDEVENT {
            let event = cloud_event::read(parse_any(self.body)?, self.channel.as_ref(), "")?;
            return Ok((vec![event.request], Some(event.key)));
        }
        if form == BATCH_CONTENT_TYPE {
            let events: Vec<Value> = parse(self.body)?;
            let events: Result<Vec<ReadEvent>, Error> = events
                .into_iter()
                .enumerate()
                .map(|(index, event)| cloud_event::read(event, self.channel.as_ref(), &format!("{index}/")))
                .collect();
            return Ok((events?.into_iter().map(|event| event.request).collect(), None));
        }
        if !is_json(self.content_type) {
            return Err(Error::Body(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!("send events as application/json or {CLOUDEVENT}, not as `{}`", self.content_type),
            ));
        }
        if self.channel.is_some() {
            return Err(Error::parameter("channelName", "is for CloudEvents; in JSON it is a field"));
        }
        let requests = match parse_any(self.body)? {
            batch @ Value::Array(_) => read(batch)?,
            single => vec![read(single)?],
        };
        Ok((requests, None))
    }
}

/// The key in the header, with or without the quotes of a structured field.
fn read_idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Error> {
    let Some(value) = headers.get(IDEMPOTENCY_KEY) else { return Ok(None) };
    let key = value.to_str().unwrap_or_default().trim();
    let key = key.strip_prefix('"').and_then(|key| key.strip_suffix('"')).unwrap_or(key);
    if (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        Ok(Some(key.to_owned()))
    } else {
        Err(Error::parameter("Idempotency-Key", "must have 1 to 255 visible ASCII characters"))
    }
}

fn fingerprint(query: &Query, content_type: &str, body: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [query.get("channelName").unwrap_or_default(), &essence(content_type)] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hash.update(body);
    hash.finalize().into()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ChannelTokenRequest {
    channel_name: Channel,
    /// Whom the token is for: `user:usr_…` and its like for people whom Tidewatch knows, else any name.
    #[serde(default)]
    subject: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SignedToken {
    token: String,
    expires_at: Timestamp,
}

async fn sign_token(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(request): JsonBody<ChannelTokenRequest>,
) -> Result<Json<SignedToken>, Error> {
    let ChannelTokenRequest { channel_name, subject } = request;
    let (token, expires_at) = sign(&state, &caller, channel_name, subject)?;
    Ok(Json(SignedToken { token: token.expose_secret().to_owned(), expires_at: expires_at.into() }))
}
