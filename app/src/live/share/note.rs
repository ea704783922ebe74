//! What the tabs of one browser tell each other.

use serde::{Deserialize, Serialize};
use tidewatch_events::Position;
use tidewatch_events::position::Epoch;

use crate::live::heard::Heard;
use crate::live::machine::{Millis, Status};

/// Names a tab among those of one browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TabId(u64);

impl TabId {
    /// A name by chance; `random` is in [0, 1).
    #[must_use]
    pub fn draw(random: f64) -> Self {
        // As many as a number of JavaScript can tell apart.
        Self((random * (1_u64 << 53) as f64) as u64)
    }
}

/// One time that a tab led.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// The tab.
    pub tab: TabId,
    /// Counts the times.
    pub term: u32,
}

/// One time that a tab asked to be let in, so that an answer that comes late is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asker {
    /// The tab.
    pub tab: TabId,
    /// Counts the times.
    pub number: u32,
}

/// Where somebody who wants to be let in stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// Everything up to here is behind them; `None`: they go on from wherever the present is.
    pub behind: Option<Position>,
    /// The history that they count in.
    pub epoch: Option<Epoch>,
}

/// A message to all other tabs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Note {
    /// From now on this tab has the stream.
    Leads,
    /// Whoever leads, let me in.
    Join {
        /// Who asks.
        asker: Asker,
        /// Behind what.
        standing: Standing,
    },
    /// You will be, as soon as there is something to be let in to.
    Wait(Asker),
    /// You are in.
    Welcome(Box<Welcome>),
    /// To all who are in.
    Said {
        /// By whom.
        leader: Leader,
        /// Counts what this leader said: who finds one missing asks again.
        number: u64,
        /// What.
        saying: Saying,
    },
}

/// The answer to [`Note::Join`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Welcome {
    /// Who is let in.
    pub asker: Asker,
    /// By whom.
    pub leader: Leader,
    /// How much this leader has said until now.
    pub said: u64,
    /// How its own connection stands.
    pub status: Status,
    /// What stands for the reader's rights.
    pub rights: String,
    /// Time between two heartbeats.
    pub heartbeat: Millis,
    /// The history that positions count in.
    pub epoch: Option<Epoch>,
    /// `missed` has every event behind it that was there until now.
    pub complete_behind: Position,
    /// The events that the asker lacks.
    pub missed: Vec<Heard>,
}

/// What a leader says to all who are in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Saying {
    /// It heard this from the service.
    Heard(Vec<Heard>),
    /// Its connection stands like this.
    Stands(Status),
}
