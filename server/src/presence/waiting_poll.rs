//! Polls that wait count and are seen as streams are.

use tidewatch_events::Channel;
use tidewatch_events::id::ConnectionId;
use uuid::Uuid;

use super::{ConnectionKind, Present};
use crate::access::Caller;
use crate::access::channels::Grant;
use crate::access::login::LoginOrigin;
use crate::error::Error;
use crate::state::AppState;
use crate::stream::limits::Place;

/// What a poll holds as long as it waits, as a stream does: its place in the limits, and its presence.
#[derive(Debug)]
pub struct WaitingPoll {
    _place: Place,
    _present: Present,
}

impl WaitingPoll {
    /// A poll of `caller` on these channels begins to wait.
    ///
    /// # Errors
    /// 429: there are as many streams already as there may be.
    pub fn begin(
        state: &AppState,
        caller: &Caller,
        from: &LoginOrigin,
        channels: &[Channel],
        grants: &[Grant],
    ) -> Result<Self, Error> {
        let place = state.stream_counts.enter(caller, from.address)?;
        let id = ConnectionId::from_uuid(Uuid::now_v7());
        let present = state.presence.enter(id, ConnectionKind::Poll, caller, from);
        present.listens(channels, grants, id);
        Ok(Self { _place: place, _present: present })
    }
}
