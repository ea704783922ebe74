//! No stream on the server: the page is complete as it is, and goes live in the browser.

use leptos::prelude::RwSignal;
use tidewatch_events::Position;

use super::client::{Anchor, Callback, Pulse};
use super::feed::{CatchUp, Feed, SubscriberId};
use super::machine::Status;

/// Stands where the browser has its connection.
#[derive(Clone, Copy)]
pub(super) struct Transport;

impl Transport {
    pub(super) const fn new(_: RwSignal<Status>, _: RwSignal<Pulse>, _: RwSignal<u32>) -> Self {
        Self
    }

    pub(super) fn subscribe(self, anchor: &Anchor, callback: Callback) -> (SubscriberId, CatchUp) {
        Feed::default().subscribe(anchor.position, callback)
    }

    pub(super) const fn connect(self, _: &Anchor) {}

    pub(super) fn share_in(self, _: Option<String>) {}

    pub(super) const fn resume(self, _: SubscriberId, _: Position) -> CatchUp {
        CatchUp::Gap
    }

    pub(super) const fn unsubscribe(self, _: SubscriberId) {}
}
