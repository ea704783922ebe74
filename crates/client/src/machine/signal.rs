//! What goes into the machine and what comes out.

use tidewatch_events::stream::{Connected, Heartbeat, SystemMessage};
use tidewatch_events::{Envelope, ResumePoint};

use super::Millis;
use crate::notice::{Gap, Loss, State, Unreadable};

/// Something that happened outside. An `id` is the SSE id to resume behind.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Input {
    /// Begin.
    Start,
    /// The stream's first message.
    Connected { id: Option<ResumePoint>, connected: Connected },
    /// Events, oldest first: one, or those of a batch.
    Events { id: Option<ResumePoint>, events: Vec<Result<Envelope, Unreadable>> },
    /// The stream is alive.
    Heartbeat { id: Option<ResumePoint>, heartbeat: Heartbeat },
    /// The service says something.
    System { id: Option<ResumePoint>, message: SystemMessage },
    /// How long the service wants readers to wait after a loss.
    Retry(Millis),
    /// Something came that is no whole message, or none for us: a sign of life.
    Heard,
    /// The stream could not be opened, or broke.
    Lost { loss: Loss, retry_after: Option<Millis> },
    /// The service does not want this reader, now or later.
    Refused,
    /// Time has passed.
    Tick,
}

/// Something to be done outside.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// Open a stream behind this place. There is none open.
    Open { after: ResumePoint },
    /// Close the stream and hear nothing of it any more.
    Close,
    /// Send [`Input::Tick`] then, and not at the time that was asked for before.
    Schedule { at: Millis },
    /// Tell of the connection.
    State(State),
    /// Give the event to the reader.
    Deliver(Box<Envelope>),
    /// Tell the reader that it lacks something.
    Gap(Gap),
    /// Tell the reader what the service said.
    System(SystemMessage),
    /// Tell the reader of a message that cannot be read.
    Unreadable(Unreadable),
    /// With what comes next, the reader has everything up to here.
    Reached(ResumePoint),
    /// Tell the reader why there is nothing more.
    GiveUp,
}
