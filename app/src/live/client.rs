//! The tab's connection, as pages and components see it.

use std::rc::Rc;

use leptos::prelude::*;
use tidewatch_events::Position;

use super::feed::{CatchUp, SubscriberId};
use super::machine::{Millis, Status};
use super::transport::Transport;

/// What a reader of the feed is called with.
pub(super) type Callback = Rc<dyn Fn(CatchUp)>;

/// Where a page's data stands in the stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Anchor {
    /// The data contains everything up to here.
    pub position: Position,
    /// The same as the token that the stream is opened with.
    pub resume_token: String,
}

/// When the service was last heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pulse {
    /// By the monotone clock; `None` before the first message.
    pub last_heard: Option<Millis>,
    /// Time between two heartbeats.
    pub heartbeat: Millis,
}

/// One connection a tab, for all pages. It opens with the first page that subscribes.
#[derive(Clone, Copy)]
pub struct LiveClient {
    status: RwSignal<Status>,
    pulse: RwSignal<Pulse>,
    transport: Transport,
}

/// Puts the tab's connection into the context. On the server it never opens.
pub fn provide_live() {
    let status = RwSignal::new(Status::default());
    let pulse = RwSignal::new(Pulse::default());
    provide_context(LiveClient { status, pulse, transport: Transport::new(status, pulse) });
}

/// The tab's connection.
///
/// # Panics
/// Outside of [`crate::App`].
#[must_use]
pub fn use_live_client() -> LiveClient {
    expect_context()
}

impl LiveClient {
    /// How the connection stands.
    #[must_use]
    pub fn status(&self) -> Signal<Status> {
        self.status.into()
    }

    /// When the service was last heard.
    #[must_use]
    pub fn pulse(&self) -> Signal<Pulse> {
        self.pulse.into()
    }

    /// Calls `callback` with what comes behind `anchor`; the answer is what came already.
    pub(super) fn subscribe(&self, anchor: &Anchor, callback: Callback) -> (SubscriberId, CatchUp) {
        self.transport.subscribe(anchor, callback)
    }

    pub(super) fn resume(&self, id: SubscriberId, from: Position) -> CatchUp {
        self.transport.resume(id, from)
    }

    pub(super) fn unsubscribe(&self, id: SubscriberId) {
        self.transport.unsubscribe(id);
    }
}
