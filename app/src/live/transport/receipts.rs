//! Tells the service when events came to the page and when it showed them, where somebody follows traces. Of events of other
//! traces than those that are recorded, nothing is told.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use gloo_net::http::Request;
use leptos::prelude::{request_animation_frame, set_timeout};
use leptos::task::spawn_local;
use serde::Serialize;
use tidewatch_events::id::ConnectionId;
use tidewatch_events::stream::Connected;
use tidewatch_events::trace::TraceContext;
use tidewatch_events::{Envelope, EventId};

use super::of_project;
use crate::contexts::clock;
use crate::live::machine::Millis;

const URL: &str = "/api/v1/traces/receipts";
/// How long they are gathered.
const DELAY: Duration = Duration::from_secs(1);
/// Most that are told at once; of what comes beyond them within that time, nothing is.
const MOST: usize = 50;

/// What is still to be told.
#[derive(Default)]
pub(super) struct Receipts {
    /// The stream, where receipts are wanted of what comes by it.
    connection: Cell<Option<ConnectionId>>,
    waiting: RefCell<Vec<Receipt>>,
}

struct Receipt {
    event: EventId,
    received: Millis,
    rendered: Option<Millis>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    connection_id: ConnectionId,
    events: Vec<Told>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    event_id: EventId,
    received_ms_ago: Millis,
    rendered_ms_ago: Millis,
}

impl Receipts {
    pub(super) fn connected(&self, connected: &Connected) {
        self.connection.set(connected.traced.then_some(connected.connection_id));
    }

    /// An event has come, and is about to be shown.
    pub(super) fn had(self: &Rc<Self>, envelope: &Envelope) {
        let Some(connection) = self.connection.get() else { return };
        let mut waiting = self.waiting.borrow_mut();
        let is_traced = TraceContext::recorded(envelope.metadata.traceparent.as_deref()).is_some();
        if !is_traced || waiting.len() == MOST {
            return;
        }
        waiting.push(Receipt { event: envelope.event_id, received: clock::monotone(), rendered: None });
        // What it changes is on the screen with the next frame.
        let receipts = Rc::clone(self);
        request_animation_frame(move || {
            let now = clock::monotone();
            receipts.waiting.borrow_mut().iter_mut().for_each(|receipt| {
                receipt.rendered.get_or_insert(now);
            });
        });
        if waiting.len() == 1 {
            let receipts = Rc::clone(self);
            set_timeout(move || receipts.tell(connection), DELAY);
        }
    }

    fn tell(&self, connection_id: ConnectionId) {
        let now = clock::monotone();
        let ago = |then: Millis| now.saturating_sub(then);
        let told = |Receipt { event, received, rendered }| Told {
            event_id: event,
            received_ms_ago: ago(received),
            // A tab in the background shows nothing.
            rendered_ms_ago: ago(rendered.unwrap_or(received)),
        };
        let events = self.waiting.take().into_iter().map(told).collect();
        let body = Body { connection_id, events };
        if let Ok(request) = Request::post(&of_project(URL)).json(&body) {
            // Whoever follows traces does without one rather than have the page wait.
            spawn_local(async move { drop(request.send().await) });
        }
    }
}
