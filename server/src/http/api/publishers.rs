//! `/api/v1/publishers`: what services call to publish events and to let their users into private channels.

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tidewatch_events::cloudevents::{BATCH_CONTENT_TYPE, CONTENT_TYPE as CLOUDEVENT};
use tidewatch_events::{Channel, EventId, Permission, Timestamp};

use crate::access::Caller;
use crate::commands::channels::sign;
use crate::commands::publish::{Idempotency, PublishRequest, Published, publish};
use crate::error::Error;
use crate::http::cloud_event::{self, ReadEvent};
use crate::http::json_body::{JsonBody, essence, is_json, parse, parse_any, read, read_bytes};
use crate::http::origin::ReadOrigin;
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
pub fn router() -> Router<AppState> {
    Router::new()
        .route(
            "/api/v1/publishers/events/publish",
            post(publish_events).layer(DefaultBodyLimit::max(MAX_PUBLISH_BYTES)),
        )
        .route("/api/v1/publishers/sign", post(sign_token))
}

#[derive(Debug, Serialize)]
struct PublishedJson {
    events: Vec<PublishedEventJson>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct PublishedEventJson {
    event_id: EventId,
}

type PublishAnswer = (StatusCode, [(HeaderName, HeaderValue); 1], Json<PublishedJson>);

async fn publish_events(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    query: Query,
    headers: HeaderMap,
    request: Request,
) -> Result<PublishAnswer, Error> {
    caller.require(&Permission::EVENTS_PUBLISH)?;
    let query = query.only(&["channelName"])?;
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
    let events = events.into_iter().map(|event_id| PublishedEventJson { event_id }).collect();
    Ok((StatusCode::ACCEPTED, [(IDEMPOTENT_REPLAYED, replayed)], Json(PublishedJson { events })))
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

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignRequest {
    channel_name: Channel,
    /// Whom the token is for: `user:usr_…` and its like for people whom Tidewatch knows, else any name.
    #[serde(default)]
    subject: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SignedJson {
    token: String,
    expires_at: Timestamp,
}

async fn sign_token(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(request): JsonBody<SignRequest>,
) -> Result<Json<SignedJson>, Error> {
    let SignRequest { channel_name, subject } = request;
    let (token, expires_at) = sign(&state, &caller, channel_name, subject)?;
    Ok(Json(SignedJson { token: token.expose_secret().to_owned(), expires_at: expires_at.into() }))
}
