//! What goes into the machine and what comes out.

use serde::{Deserialize, Serialize};
use tidewatch_events::stream::SystemMessage;
use tidewatch_events::{Envelope, Position};

use super::Millis;

/// Something that happened outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The page is there: read on behind this place.
    Start {
        /// A position token or an event id, as the server gave it with the page's data.
        after: String,
        /// The position that the page's data contains.
        position: Position,
    },
    /// The stream's first message.
    Connected {
        /// Everything up to here is behind the reader.
        position: Position,
        /// Time between two heartbeats.
        heartbeat: Millis,
        /// Whether the stream goes on from where it was asked to.
        recovered: bool,
    },
    /// What stands for the reader's rights, told before [`Input::Connected`] and [`Input::Polled`].
    Rights(String),
    /// An event arrived on the stream.
    Event {
        /// The SSE id to resume behind.
        id: String,
        /// The event.
        envelope: Box<Envelope>,
    },
    /// The stream is alive.
    Heartbeat {
        /// The SSE id to resume behind.
        id: String,
        /// Everything up to here was offered.
        position: Position,
    },
    /// The service says something.
    System(SystemMessage),
    /// The stream could not be opened, or broke. EventSource tells neither which nor why.
    Failed,
    /// A poll was answered, or was not.
    Polled(Polled),
    /// Time has passed.
    Tick,
    /// The tab went into the background.
    Hidden,
    /// The tab is looked at.
    Visible,
    /// The browser believes that it has a network.
    Online,
    /// The browser believes that it has none.
    Offline,
}

/// How a poll ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Polled {
    /// A page of events.
    Page {
        /// The events, oldest first.
        events: Vec<Envelope>,
        /// Everything up to here was offered.
        position: Position,
        /// Whether more is there to be read at once.
        has_more: bool,
    },
    /// The events behind the reader's position are gone.
    Gap,
    /// The session has ended.
    Unauthorized,
    /// No answer, or one that the service gives when it cannot.
    Failed {
        /// When it asked to be left alone until, from now.
        retry_after: Option<Millis>,
    },
}

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Open a stream behind this place. There is none open.
    OpenStream {
        /// `after` of the URL.
        after: String,
    },
    /// Close the stream and hear nothing of it any more.
    CloseStream,
    /// Poll behind this place. No poll is under way.
    Poll {
        /// `after` of the URL.
        after: String,
        /// Seconds that the server may hold the answer back.
        wait_seconds: u32,
    },
    /// Give the poll up and hear nothing of it any more.
    CancelPoll,
    /// Send [`Input::Tick`] then, and not at the time that was asked for before.
    Schedule {
        /// When.
        at: Millis,
    },
    /// Give the event to the pages.
    Deliver(Box<Envelope>),
    /// Events are missing, or what may be seen has changed: the pages must read their data anew.
    /// What is delivered from now on comes behind `behind`.
    Refetch {
        /// The place.
        behind: Position,
    },
}

/// Where a reader stands in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// `after` of the URL.
    pub after: String,
    /// The position that it stands for, or one before it; `None` after a loss of history, when the
    /// reader goes on from wherever the present is.
    pub behind: Option<Position>,
}

/// How the connection stands, as people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Status {
    /// The first attempt.
    #[default]
    Connecting,
    /// Events arrive as they happen.
    Live,
    /// The stream was lost and will be tried again.
    Reconnecting {
        /// When; `None` while it is being tried.
        at: Option<Millis>,
    },
    /// Events are fetched; the stream is tried again behind it.
    Polling,
    /// The tab is in the background and rests.
    Paused,
    /// There is no network.
    Offline,
    /// The session has ended.
    SignedOut,
}

impl Status {
    /// The state as `data-state` writes it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Reconnecting { .. } => "reconnecting",
            Self::Polling => "polling",
            Self::Paused => "paused",
            Self::Offline => "offline",
            Self::SignedOut => "signed_out",
        }
    }

    /// Whether events reach the pages in this state.
    #[must_use]
    pub const fn is_fresh(self) -> bool {
        matches!(self, Self::Live | Self::Polling)
    }
}
