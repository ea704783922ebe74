//! What the service says, whichever way it came: by the stream, in a page, or through another tab.

use serde::{Deserialize, Serialize};
use tidewatch_events::stream::SystemMessage;
use tidewatch_events::{Envelope, Position};

use super::machine::{Input, Millis};

/// One thing that the service said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Heard {
    /// What stands for the reader's rights; told before [`Heard::Connected`].
    Rights(String),
    /// The stream's first message.
    Connected {
        /// A position token.
        id: String,
        /// Everything up to here is behind the reader.
        position: Position,
        /// Time between two heartbeats.
        heartbeat: Millis,
        /// Whether the stream goes on from where it was asked to.
        recovered: bool,
    },
    /// An event.
    Event {
        /// The id to resume behind; that of an earlier message where the event overtook others.
        id: String,
        /// The event.
        envelope: Box<Envelope>,
    },
    /// A sign of life.
    Heartbeat {
        /// A position token.
        id: String,
        /// Everything up to here was offered.
        position: Position,
    },
    /// Something that the service tells the reader.
    System(SystemMessage),
}

impl From<Heard> for Input {
    fn from(heard: Heard) -> Self {
        match heard {
            Heard::Rights(rights) => Self::Rights(rights),
            Heard::Connected { position, heartbeat, recovered, .. } => {
                Self::Connected { position, heartbeat, recovered }
            }
            Heard::Event { id, envelope } => Self::Event { id, envelope },
            Heard::Heartbeat { id, position } => Self::Heartbeat { id, position },
            Heard::System(message) => Self::System(message),
        }
    }
}
