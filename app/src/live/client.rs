//! The tab's connection, as pages and components see it.

use std::rc::Rc;

use leptos::prelude::*;
use tidewatch_events::Position;

use super::feed::{CatchUp, SubscriberId};
use super::machine::{Millis, Status};
use super::transport::Transport;
use crate::contexts::clock::monotone;
use crate::model::CurrentUser;

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
    rights: RwSignal<u32>,
    held: RwSignal<Option<Millis>>,
    transport: Transport,
}

/// Puts the tab's connection into the context. On the server it never opens.
pub fn provide_live() {
    let status = RwSignal::new(Status::default());
    let pulse = RwSignal::new(Pulse::default());
    let rights = RwSignal::new(0);
    let held = RwSignal::new(None);
    let transport = Transport::new(status, pulse, rights);
    provide_context(LiveClient { status, pulse, rights, held, transport });
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

    /// Counts the times at which what may be seen has changed, or may have.
    #[must_use]
    pub fn rights(&self) -> Signal<u32> {
        self.rights.into()
    }

    /// Since when the page stands still because somebody asked for it, by the monotone clock; `None`: it goes on.
    #[must_use]
    pub fn held(&self) -> Signal<Option<Millis>> {
        self.held.into()
    }

    /// Has the page stand still, or lets it go on with what came meanwhile. In the browser alone.
    pub fn hold(&self, hold: bool) {
        self.held.set(hold.then(monotone));
    }

    /// Calls `callback` with what comes behind `anchor`; the answer is what came already.
    pub(super) fn subscribe(&self, anchor: &Anchor, callback: Callback) -> (SubscriberId, CatchUp) {
        self.transport.subscribe(anchor, callback)
    }

    /// Opens the stream behind `anchor`, unless it is open already.
    pub(super) fn connect(&self, anchor: &Anchor) {
        self.transport.connect(anchor);
    }

    /// Shares the stream with the other tabs of this browser in which the same person looks at the
    /// same project. It opens once this is known.
    ///
    /// `user` is who is signed in; without one the tab has a stream of its own.
    pub fn share_with_tabs_of(&self, user: Option<&CurrentUser>) {
        // Tabs with another release of this program may not understand each other.
        let version = env!("CARGO_PKG_VERSION");
        let name = |user: &CurrentUser| format!("tidewatch-stream:{version}:{}:{}", user.project_id, user.id);
        self.transport.share_in(user.map(name));
    }

    pub(super) fn resume(&self, id: SubscriberId, from: Position) -> CatchUp {
        self.transport.resume(id, from)
    }

    pub(super) fn unsubscribe(&self, id: SubscriberId) {
        self.transport.unsubscribe(id);
    }
}
