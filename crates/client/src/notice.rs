//! What a subscriber tells.

use std::time::Duration;

use tidewatch_events::id::ConnectionId;
use tidewatch_events::stream::SystemMessage;
use tidewatch_events::{Envelope, Position};

use crate::error::Error;

/// One thing that a [`crate::Subscriber`] tells, in the order in which it happened.
#[derive(Debug)]
#[non_exhaustive]
pub enum Notice {
    /// An event; each one once.
    Event(Box<Envelope>),
    /// Read the present state anew: events are missing, or others may be seen now. The stream goes on.
    Gap(Gap),
    /// The service says something. What there is to do about it the subscriber does by itself.
    System(SystemMessage),
    /// How the connection stands.
    State(State),
    /// A message came that this version of the SDK cannot read. The stream goes on behind it.
    Unreadable(Unreadable),
    /// The service refuses the stream for good (400, 401, 403, 406). The last thing that is told.
    GaveUp(Error),
}

/// From where on a reader goes on without having everything before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Gap {
    /// The next events come behind this position.
    pub behind: Position,
    /// Why.
    pub cause: GapCause,
}

/// Why the present state must be read anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum GapCause {
    /// Events between the reader's place and [`Gap::behind`] are not to be had from the stream.
    History,
    /// The rights have changed: what was read before may have to go, and other things may be there.
    Rights,
}

/// How the connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum State {
    /// The stream is being opened.
    Connecting,
    /// Events arrive as they happen.
    Live {
        /// The connection, as the service's log names it.
        connection_id: ConnectionId,
    },
    /// The stream was lost and will be opened again.
    Reconnecting {
        /// From now.
        wait: Duration,
        /// Why it was lost.
        loss: Loss,
    },
}

/// Why a stream was lost.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Loss {
    /// It could not be opened, or broke.
    #[error("{0}")]
    Failed(String),
    /// The service ended it and gave no reason.
    #[error("the stream ended")]
    Ended,
    /// It did not say `connected` in time.
    #[error("the service did not answer in time")]
    NoAnswer,
    /// Nothing came for two heartbeats.
    #[error("nothing was heard for two heartbeats")]
    Silence,
    /// The instance is going down; another one takes over.
    #[error("the instance is going down")]
    Draining,
    /// Too much was waiting for this reader.
    #[error("too many events were waiting for this reader")]
    Lagged,
    /// Too many requests or streams.
    #[error("too many streams or requests")]
    RateLimited,
    /// The session, key or token behind the stream or one of its private channels has ended. It is opened again with a
    /// new one where there is a provider.
    #[error("the session, key or token behind the stream has ended")]
    Expired,
}

/// A message that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Unreadable {
    /// The SSE event name: for events, their type.
    pub name: String,
    /// What it carries.
    pub data: String,
    /// What is wrong with it.
    pub reason: String,
}
