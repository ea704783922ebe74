//! The Socket.IO gateway ([protocol 5](https://socket.io/docs/v4/socket-io-protocol/), which is that of
//! `socket.io-client` 3 and 4): the same hub, rule, limits and resume points as `/api/v1/events`, for clients
//! that speak Socket.IO.
//!
//! ```text
//!  client ── auth {token} ──▶ connect ──▶ Session ─┬─ control     the connection's own subscription, to
//!                                                  │              nothing: how it is ended and told
//!         ── listen {channelName, token?, after?} ─┼─ channel a   a subscription each, with a resume point
//!         ── remove {channelName} ─────────────────┴─ channel b   of its own
//!         ── acknowledge {notificationId} ▶ of the person's own notifications
//!         ◀─ event {channelName, eventId, payload, …}
//!         ◀─ system_message {code, message, data?}
//! ```

mod connect;
mod messages;
mod session;

pub(crate) use messages::{Acknowledge, Listen, Remove};
use socketioxide::handler::ConnectHandler;
use socketioxide::layer::SocketIoLayer;
use socketioxide::{SocketIo, SocketIoBuilder};

use crate::state::AppState;

/// Packets that wait for a socket until its channels have to wait: each of them is bounded as well, and
/// cut where it falls too far behind.
const WAITING_PACKETS: usize = 256;
/// Largest message of a client, in bytes: names, tokens and positions.
const MAX_MESSAGE_BYTES: u64 = 64 * 1024;

/// The gateway, for `/socket.io/`.
pub fn layer(state: AppState) -> (SocketIoLayer, SocketIo) {
    let builder: SocketIoBuilder = SocketIo::builder();
    let (layer, io) = builder
        .max_buffer_size(WAITING_PACKETS)
        .max_payload(MAX_MESSAGE_BYTES)
        .with_state(state)
        .build_layer();
    io.ns("/", session::begin.with(connect::authenticate));
    (layer, io)
}
