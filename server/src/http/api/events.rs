//! `/api/v1/events`: the stream, the page, and single events.

use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::Serialize;
use tidewatch_app::model::DeliveryProof;
use tidewatch_events::cloudevents::{BATCH_CONTENT_TYPE, CONTENT_TYPE as CLOUDEVENT, CloudEvent};
use tidewatch_events::id::ConnectionId;
use tidewatch_events::{
    Channel, Envelope, EventFilter, EventId, Permission, Position, ProjectId, ResumePoint, Subject, visible,
};
use tidewatch_hub::{StartAt, SubscribeRequest};
use uuid::Uuid;

use crate::access::Caller;
use crate::access::channels::{Grant, admit, with_grants};
use crate::access::credential::Credential;
use crate::access::embed_scope;
use crate::access::login::LoginOrigin;
use crate::api_documents::{Operation, Routes, Shape};
use crate::error::Error;
use crate::http::accept::negotiate;
use crate::http::event_stream::{Attach, EVENT_STREAM, EventStream};
use crate::http::problem_kind::ProblemKind;
use crate::http::query::Query;
use crate::presence::{ConnectionKind, WaitingPoll};
use crate::queries;
use crate::state::AppState;
use crate::stream::compress::{Coding, compress};
use crate::stream::limits::Place;
use crate::stream::page::{self, EventsPage, PageRequest};
use crate::stream::reach::Reach;
use crate::stream::resume;
use crate::stream::sse::{Held, SseStream, StreamInfo};
use crate::traces::path::traced;

const JSON: &str = "application/json";
/// Longest long-poll, in seconds.
pub(super) const MAX_WAIT_SECONDS: u64 = 30;
/// Longest time for which a stream gathers events into one message, in milliseconds.
const MAX_BATCH_MS: u64 = 1_000;
/// Most events of one page.
pub(super) const MAX_LIMIT: u64 = 1_000;
/// Events of a page where nobody asked for another number.
pub(super) const DEFAULT_LIMIT: u64 = 100;
/// The routes.
pub fn routes() -> Routes {
    let stream = |id: &str, summary: &str| streamed(Operation::new(id, summary));
    Routes::of("Events")
        .get("/api/v1/events", stream_or_page, stream("readEvents", "Stream events, or read a page"))
        .get(
            "/api/v1/events/stream",
            stream_or_page,
            stream("streamEvents", "Stream events (another name of `/api/v1/events`)"),
        )
        .get(
            "/api/events",
            stream_or_page,
            stream("streamEventsShort", "Stream events (a short name of `/api/v1/events`)"),
        )
        .get(
            "/api/v1/events/{eventId}",
            read,
            Operation::new("getEvent", "Read an event")
                .needs("events.read")
                .path::<EventId>("eventId", "Which.")
                .answers::<Envelope>("The event.")
                .answers_with(StatusCode::OK, "", CLOUDEVENT, Shape::of::<CloudEvent>())
                .gives([ProblemKind::NotAcceptable]),
        )
        .get(
            "/api/v1/events/{eventId}/deliveries",
            deliveries,
            Operation::new("getDeliveryProof", "Read to whom an event was given")
                .needs("deliveries.read")
                .path::<EventId>("eventId", "Which.")
                .answers::<DeliveryProof>("Who was given it, when, and who has acknowledged it."),
        )
}

/// What stream and page take and give, under each of their names.
fn streamed(operation: Operation) -> Operation {
    use ProblemKind::{ChannelRefused, HistoryGap, NotAcceptable, TooManyStreams};
    operation
        .describe(
            "For `Accept: text/event-stream` or `*/*` a stream: `connected`, then what was asked for since `after`, then \
             what happens, without gap or repeat. People without `events.read` are given what becomes of their own \
             notifications, and nothing else. For JSON a page; `wait` makes it a long-poll. The messages of the \
             stream are in the AsyncAPI document.",
        )
        .needs("events.read")
        .query::<String>("types", "Event types with commas between them, `settlement.*` allowed.")
        .query::<String>("resourceTypes", "Aggregate types with commas between them: `Settlement`.")
        .query::<String>("resourceId", "Only what happens to this one.")
        .query::<String>("channels", "Only what goes out on these channels; commas between them.")
        .query::<String>("token", "The signed tokens of the private ones among the channels; commas between them.")
        .query::<String>(
            "after",
            "Where to begin: behind an event id, a position or its token, at an RFC 3339 time, `latest` (where nothing is \
             said) or `earliest`.",
        )
        .query::<String>("lastEventId", "As `after`, which it overrides.")
        .header("Last-Event-ID", "As `after`, which it overrides: what a browser sends that connects again.", Shape::text())
        .query_number("batch", "Stream: events within so many milliseconds arrive as one.", 0, MAX_BATCH_MS, 0)
        .query_of(
            "named",
            "Stream: with `false`, events come as messages (no `event:`), for readers such as `EventSource` that do not know \
             each type beforehand.",
            &["true", "false"],
        )
        .query_number("wait", "JSON: how long to wait for an event, in seconds.", 0, MAX_WAIT_SECONDS, 0)
        .query_number("limit", "JSON: most events of the page.", 1, MAX_LIMIT, DEFAULT_LIMIT)
        .answers_with(StatusCode::OK, "The stream, or a page.", EVENT_STREAM, Shape::text())
        .answered_like(
            "retry: 1200\nid: pos_0g00000000000000002y58qj4c\nevent: connected\ndata: {\"connectionId\":\"con_…\",…}\n\n\
             id: evt_01kaghsp3mfvy8e4v0h6x2t9rd\nevent: settlement.settled\ndata: {\"eventId\":\"evt_…\",…}\n\n",
        )
        .answers::<EventsOfPage>("")
        .answers_with(StatusCode::OK, "", BATCH_CONTENT_TYPE, Shape::of::<Vec<CloudEvent>>())
        .with_header("tidewatch-position", "CloudEvents: where to go on from, as `position` of the JSON page.")
        .with_header("tidewatch-has-more", "CloudEvents: whether there is more behind it, as `hasMore`.")
        .gives([ChannelRefused, HistoryGap, NotAcceptable, TooManyStreams])
}

async fn stream_or_page(
    State(state): State<AppState>,
    caller: Caller,
    from: LoginOrigin,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let reach = Reach::of(&caller)?;
    let form = negotiate(&headers, &[EVENT_STREAM, JSON, BATCH_CONTENT_TYPE, CLOUDEVENT]).ok_or(
        Error::NotAcceptable(
            "accept text/event-stream, application/json or application/cloudevents-batch+json",
        ),
    )?;
    let filter = reach.filter(within_scope(&caller, read_filter(&query)?)?)?;
    let point = read_resume_point(&headers, &query)?;
    let reader = read_reader(&state, caller, reach, &filter, &query).await?;
    if form == EVENT_STREAM {
        for name in ["wait", "limit"] {
            if query.get(name).is_some() {
                return Err(Error::parameter(name, "is for `Accept: application/json` alone"));
            }
        }
    }
    for name in ["batch", "named"] {
        if form != EVENT_STREAM && query.get(name).is_some() {
            return Err(Error::parameter(name, "is for `Accept: text/event-stream` alone"));
        }
    }
    let named = query.parse("named")?.unwrap_or(true);
    let batch = Duration::from_millis(query.number("batch", 0..=MAX_BATCH_MS, 0)?);
    let wait = Duration::from_secs(query.number("wait", 0..=MAX_WAIT_SECONDS, 0)?);
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    // A stream is told so itself, and when to come again: a browser's EventSource gives up where it is refused.
    if form != EVENT_STREAM && state.readiness.is_draining() {
        return Err(Error::Unavailable("this instance is going down"));
    }
    if form == EVENT_STREAM {
        let place = state.stream_counts.enter(&reader.caller, from.address)?;
        let start = resume::resolve(&state, reader.caller.project(), point).await?;
        let batch = Some(batch).filter(|batch| !batch.is_zero());
        let request = StreamRequest { filter, start, batch, named, coding: Coding::negotiate(&headers) };
        return open_stream(&state, reader, &from, place, request);
    }
    let _waiting = (!wait.is_zero())
        .then(|| WaitingPoll::begin(&state, &reader.caller, &from, &filter.channels, &reader.grants))
        .transpose()?;
    let start = resume::resolve(&state, reader.caller.project(), point).await?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let rights = rights(&state, &reader.subject);
    let project = reader.caller.project();
    let asked = SystemTime::now();
    let page = page::read(
        &state,
        PageRequest {
            reader: state.presence.reader(&reader.caller, ConnectionKind::Poll),
            subject: reader.subject,
            credential: reader.caller.credential,
            grants: reader.grants,
            reach,
            filter,
            start,
            limit,
            wait,
        },
    )
    .await?;
    if state.traces.is_on() {
        let poll = ConnectionId::from_uuid(Uuid::now_v7());
        state.traces.delivered(poll, page.events.iter().map(|event| &event.envelope), asked);
    }
    Ok(answer_page(page, rights, project, form))
}

/// Who reads, and into which private channels they were let.
struct Reader {
    caller: Caller,
    grants: Vec<Grant>,
    /// What is open to them.
    reach: Reach,
    /// The caller's as far as that, with the channels.
    subject: Subject,
}

/// Private channels that are asked for need a signed token each; `token` has them, with commas between.
async fn read_reader(
    state: &AppState,
    caller: Caller,
    reach: Reach,
    filter: &EventFilter,
    query: &Query,
) -> Result<Reader, Error> {
    let tokens: Vec<SecretString> =
        query.get("token").map(|list| list.split(',').map(SecretString::from).collect()).unwrap_or_default();
    if !tokens.is_empty() && !filter.channels.iter().any(Channel::is_private) {
        return Err(Error::parameter("token", "is for private channels, and `channels` names none"));
    }
    let grants = admit(state, &caller, &filter.channels, &tokens).await?;
    let subject = with_grants(&reach.subject(&caller.subject, &caller.credential), &grants);
    Ok(Reader { caller, grants, reach, subject })
}

fn read_filter(query: &Query) -> Result<EventFilter, Error> {
    fn part<T: Default>(
        query: &Query,
        name: &str,
        parse: impl Fn(&str) -> Result<T, tidewatch_events::filter::ParseFilterError>,
    ) -> Result<T, Error> {
        query.get(name).map_or_else(
            || Ok(T::default()),
            |text| parse(text).map_err(|error| Error::parameter(name, error)),
        )
    }
    Ok(EventFilter {
        types: part(query, "types", EventFilter::parse_types)?,
        resource_types: part(query, "resourceTypes", EventFilter::parse_resource_types)?,
        resource_id: part(query, "resourceId", |text| EventFilter::parse_resource_id(text).map(Some))?,
        channels: part(query, "channels", EventFilter::parse_channels)?,
    })
}

/// The filter as far as what the caller showed goes: who looks at a bell hears of notifications alone.
fn within_scope(caller: &Caller, filter: EventFilter) -> Result<EventFilter, Error> {
    match caller.credential {
        Credential::Embed { .. } => embed_scope::narrowed(filter).ok_or(Error::TokenScope(
            "this token is for the bell: ask for types of `notification.*` alone, and for no channel",
        )),
        _ => Ok(filter),
    }
}

/// The header counts before the parameters: a browser that connects again sends the header with
/// where it was and the URL with where it began.
fn read_resume_point(headers: &HeaderMap, query: &Query) -> Result<ResumePoint, Error> {
    const HEADER: &str = "last-event-id";
    if let Some(value) = headers.get(HEADER).filter(|value| !value.is_empty()) {
        let text = value.to_str().map_err(|_| Error::parameter("Last-Event-ID", "is not text"))?;
        return text.parse().map_err(|error| Error::parameter("Last-Event-ID", error));
    }
    let last_event_id = query.parse("lastEventId")?;
    let after = query.parse("after")?;
    Ok(last_event_id.or(after).unwrap_or_default())
}

/// What a reader asks of a stream.
struct StreamRequest {
    filter: EventFilter,
    start: StartAt,
    batch: Option<Duration>,
    named: bool,
    coding: Option<Coding>,
}

fn open_stream(
    state: &AppState,
    reader: Reader,
    from: &LoginOrigin,
    place: Place,
    request: StreamRequest,
) -> Result<Response, Error> {
    let id = ConnectionId::from_uuid(Uuid::now_v7());
    let rights = rights(state, &reader.subject);
    let present = state.presence.enter(id, ConnectionKind::Sse, &reader.caller, from);
    if !request.filter.channels.is_empty() {
        present.listens(&request.filter.channels, &reader.grants, id);
    }
    let watch =
        state.warden.watch(id, reader.caller.credential, reader.grants, reader.reach, &reader.subject);
    let subscription = state.hub.subscribe(SubscribeRequest {
        id,
        subject: reader.subject,
        filter: request.filter,
        after: request.start,
        reader: present.reader(),
    });
    let info = StreamInfo {
        heartbeat: state.config.heartbeat.0,
        instance: state.config.instance_name(),
        batch: request.batch,
        named: request.named,
        rights,
        traces: state.traces.clone(),
    };
    let vary = [(VARY, HeaderValue::from_static(ACCEPT_ENCODING.as_str()))];
    // Only what is sent as it is can be written by the hub itself.
    let is_plain = request.batch.is_none() && request.named;
    let why = place.why();
    let stream = SseStream::new(subscription, Held { watch, place, present }, info);
    let Some(coding) = request.coding else {
        let (hub, traces) = (state.hub.clone(), state.traces.clone());
        let attach: Option<Attach> = is_plain.then(|| {
            Box::new(move |sink| {
                hub.attach(id, traced(traces, id, sink));
            }) as Attach
        });
        return Ok((vary, EventStream::new(stream, attach, why)).into_response());
    };
    let compressed = compress(stream, coding).map_err(|error| Error::Internal(error.to_string()))?;
    let coding = [(CONTENT_ENCODING, HeaderValue::from_static(coding.name()))];
    Ok((vary, coding, EventStream::new(compressed, None, why)).into_response())
}

/// A page on the wire.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct EventsOfPage {
    events: Vec<Envelope>,
    position: Position,
    has_more: bool,
    /// What stands for the reader's rights, as in a stream's `connected`.
    rights: String,
}

/// What stands for a subject's rights: the same on every instance, and it says nothing of them.
fn rights(state: &AppState, subject: &Subject) -> String {
    let text = serde_json::json!([subject.identities, subject.permissions]).to_string();
    URL_SAFE_NO_PAD.encode(&state.digester.digest("rights", text.as_bytes())[..12])
}

fn answer_page(page: EventsPage, rights: String, project: ProjectId, form: &str) -> Response {
    let no_store = (CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if form == JSON {
        let events = page.events.into_iter().map(|event| event.envelope).collect();
        let body = EventsOfPage { events, position: page.position, has_more: page.has_more, rights };
        return ([no_store], Json(body)).into_response();
    }
    // The batch format is an array and nothing else, so the rest goes into headers.
    let events: Vec<CloudEvent> =
        page.events.iter().map(|event| CloudEvent::from_envelope(&event.envelope, project)).collect();
    let headers = [
        no_store,
        (CONTENT_TYPE, HeaderValue::from_static(BATCH_CONTENT_TYPE)),
        (HeaderName::from_static("tidewatch-position"), HeaderValue::from(page.position.get())),
        (
            HeaderName::from_static("tidewatch-has-more"),
            HeaderValue::from_static(if page.has_more { "true" } else { "false" }),
        ),
    ];
    (headers, serde_json::json!(events).to_string()).into_response()
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Result<Response, Error> {
    caller.require(&Permission::EVENTS_READ)?;
    let form = negotiate(&headers, &[JSON, CLOUDEVENT])
        .ok_or(Error::NotAcceptable("accept application/json or application/cloudevents+json"))?;
    // What is not there, what is another project's and what may not be seen look the same.
    let missing = || Error::NotFound(format!("event `{id}`"));
    let event_id: EventId = id.parse().map_err(|_| missing())?;
    let event = state
        .log
        .find(caller.project(), event_id)
        .await?
        .filter(|event| visible(&event.routing, &caller.subject))
        .ok_or_else(missing)?;
    if form == CLOUDEVENT {
        let cloud_event = CloudEvent::from_envelope(&event.envelope, caller.project());
        let content_type = [(CONTENT_TYPE, HeaderValue::from_static(CLOUDEVENT))];
        return Ok((content_type, serde_json::json!(cloud_event).to_string()).into_response());
    }
    Ok(Json(event.envelope).into_response())
}

/// To whom it was given, when, and who has acknowledged it.
async fn deliveries(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<DeliveryProof>, Error> {
    let missing = || Error::NotFound(format!("event `{id}`"));
    let event_id: EventId = id.parse().map_err(|_| missing())?;
    let proof = queries::deliveries(&state, &caller, &[event_id]).await?.pop();
    proof.map(Json).ok_or_else(missing)
}
