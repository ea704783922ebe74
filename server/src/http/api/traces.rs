//! `/api/v1/traces`: what browsers tell of the events that they had.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use tidewatch_events::id::ConnectionId;
use tidewatch_events::{EventId, Permission, visible};

use crate::access::Caller;
use crate::api_documents::{Operation, Routes};
use crate::error::Error;
use crate::http::json_body::JsonBody;
use crate::state::AppState;
use crate::traces::Receipt;

/// Most events of one request: a page tells of what came within a second.
const MOST: usize = 50;
/// Largest body, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// The routes.
pub fn routes() -> Routes {
    Routes::of("System")
        .post(
            "/api/v1/traces/receipts",
            receive,
            Operation::new("tellReceipts", "Tell when events of traces were received and shown")
                .describe(
                    "What the dashboard tells where traces are exported, of events whose `traceparent` is sampled. What the \
                     caller may not see and what is not known is passed over.",
                )
                .needs("events.read")
                .body::<Receipts>()
                .for_example(json!({
                    "connectionId": "con_01h455vb4pex5vsknk084sn02q",
                    "events": [{
                        "eventId": "evt_01h455vb4pex5vsknk084sn02q", "receivedMsAgo": 620, "renderedMsAgo": 600,
                    }],
                }))
                .answers_nothing(StatusCode::NO_CONTENT, "It is taken."),
        )
        .through(|router| router.layer(DefaultBodyLimit::max(MAX_BYTES)))
}

/// Events that came by one stream. Times are how long ago in milliseconds: clocks of browsers are not ours.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Receipts {
    /// The stream's, as its `connected` says.
    connection_id: ConnectionId,
    /// At most 50.
    events: Vec<Received>,
}

/// An event that has come.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Received {
    event_id: EventId,
    received_ms_ago: u32,
    rendered_ms_ago: u32,
}

/// Makes spans of it. What the caller may not see, what is of no recorded trace and what does not exist are passed over alike.
async fn receive(
    State(state): State<AppState>,
    caller: Caller,
    JsonBody(receipts): JsonBody<Receipts>,
) -> Result<StatusCode, Error> {
    caller.require(&Permission::EVENTS_READ)?;
    if receipts.events.len() > MOST {
        return Err(Error::field("events", format!("must hold at most {MOST} events")));
    }
    if state.traces.is_on() {
        let ids: Vec<EventId> = receipts.events.iter().map(|received| received.event_id).collect();
        let events = state.log.find_all(caller.project(), &ids).await?;
        for (event, published_at) in
            events.iter().filter(|(event, _)| visible(&event.routing, &caller.subject))
        {
            let received = receipts.events.iter().find(|it| it.event_id == event.envelope.event_id);
            if let Some(received) = received {
                let ago = |millis: u32| Duration::from_millis(millis.into());
                let receipt = Receipt {
                    connection: receipts.connection_id,
                    received_ago: ago(received.received_ms_ago),
                    rendered_ago: ago(received.rendered_ms_ago),
                };
                state.traces.received(&event.envelope, *published_at, receipt);
            }
        }
    }
    Ok(StatusCode::NO_CONTENT)
}
