//! The connection to the stream as a state machine.
//!
//! ```text
//! connecting ──connected──▶ live ──lost──▶ reconnecting (full jitter, countdown)
//!                            ▲                  │ third failure, and polls get through
//!                            └──── connected ── polling (the stream is tried again behind it)
//! any ──hidden for long──▶ paused ──visible──▶ connecting      any ──401──▶ signed out
//! ```
//!
//! Pure: no I/O, no clock, no randomness. Time and chance are parameters, so that every path is a
//! unit test. [`Machine::step`] takes what happened and answers with what is to be done.
//!
//! What holds in every state:
//! - The reader resumes from its own place: the id of the last message, or a poll's position.
//! - An event is delivered once. Repeats are known by their id, and by [`Machine::floor`]: the
//!   place up to which everything was offered. The *highest position seen* is no such place, for
//!   an urgent event may overtake others.
//! - At most one stream and one poll are under way.

mod hear;
mod recover;
mod signal;
#[cfg(test)]
mod tests;

use tidewatch_events::{Backoff, Position, Seen};

pub use signal::{Effect, Input, Place, Polled, Status};

/// A monotone time in milliseconds; its zero means nothing.
pub type Millis = u64;

/// The shortest wait after a failure.
pub const SHORTEST_MS: Millis = Backoff::DEFAULT.shortest.as_millis() as Millis;
/// The longest wait after a failure.
pub const LONGEST_MS: Millis = Backoff::DEFAULT.longest.as_millis() as Millis;
/// A stream that does not say `connected` by then is lost.
pub const CONNECT_TIMEOUT_MS: Millis = 10_000;
/// A tab that is in the background for so long rests.
pub const HIDDEN_GRACE_MS: Millis = 30_000;
/// Failures after which the machine polls.
pub const FAILURES_BEFORE_POLLING: u32 = 3;
/// A stream that lived so long has shown that the way is free: failures are counted anew.
const STABLE_MS: Millis = 5_000;
/// What the server may hold a poll back for.
pub(super) const POLL_WAIT_SECONDS: u32 = 25;
/// A poll that is not answered by then is lost.
const POLL_TIMEOUT_MS: Millis = 40_000;
/// Two polls are at least so far apart, whatever the server answers.
const POLL_SPACING_MS: Millis = 1_000;
/// Heartbeats until the server says its own.
pub(super) const DEFAULT_HEARTBEAT_MS: Millis = 15_000;

/// The wait after so many failures in a row; `random` is in [0, 1).
fn wait_after(failures: u32, random: f64) -> Millis {
    Backoff::DEFAULT.delay(failures, random).as_millis() as Millis
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    Closed { retry_at: Option<Millis> },
    Opening { deadline: Millis },
    Open { since: Millis, behind: Position, gap_told: bool },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Poll {
    Idle,
    UnderWay { since: Millis },
    Resting { until: Millis },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    NotStarted,
    Running,
    Paused,
    SignedOut,
}

/// The connection of one tab.
#[derive(Debug, Clone)]
pub struct Machine {
    activity: Activity,
    stream: Stream,
    poll: Poll,
    /// Whether the last poll got through.
    polls_work: bool,
    failures: u32,
    /// What to resume behind.
    resume: String,
    /// The position that `resume` stands for.
    reached: Position,
    /// Everything up to here was offered, or is in the data that the pages began with.
    floor: Position,
    seen: Seen,
    heartbeat: Millis,
    last_heard: Option<Millis>,
    hidden_since: Option<Millis>,
    /// The browser says so; it can be wrong both ways.
    offline: bool,
    /// What stands for the reader's rights; `None`: whatever is told next.
    rights: Option<String>,
    /// History was lost in a poll; the next place that is heard of is where the pages go on.
    gap_open: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self {
            activity: Activity::NotStarted,
            stream: Stream::Closed { retry_at: None },
            poll: Poll::Idle,
            polls_work: false,
            failures: 0,
            resume: String::new(),
            reached: Position::START,
            floor: Position::START,
            seen: Seen::default(),
            heartbeat: DEFAULT_HEARTBEAT_MS,
            last_heard: None,
            hidden_since: None,
            offline: false,
            rights: None,
            gap_open: false,
        }
    }
}

impl Machine {
    /// What people are told.
    #[must_use]
    pub fn status(&self) -> Status {
        match (self.activity, self.stream) {
            (Activity::SignedOut, _) => Status::SignedOut,
            (Activity::Paused, _) => Status::Paused,
            (Activity::NotStarted, _) => Status::Connecting,
            (_, Stream::Open { .. }) => Status::Live,
            _ if self.is_polling() && self.polls_work => Status::Polling,
            _ if self.offline => Status::Offline,
            (_, Stream::Opening { .. }) if self.failures == 0 => Status::Connecting,
            (_, Stream::Opening { .. }) => Status::Reconnecting { at: None },
            (_, Stream::Closed { retry_at }) => Status::Reconnecting { at: retry_at },
        }
    }

    /// When anything was last heard from the service.
    #[must_use]
    pub const fn last_heard(&self) -> Option<Millis> {
        self.last_heard
    }

    /// Time between two heartbeats.
    #[must_use]
    pub const fn heartbeat(&self) -> Millis {
        self.heartbeat
    }

    /// Everything up to here was offered.
    #[must_use]
    pub const fn floor(&self) -> Position {
        self.floor
    }

    /// Where the reader stands: a stream that goes on behind it leaves nothing out.
    #[must_use]
    pub fn place(&self) -> Place {
        let behind = (!self.gap_open).then(|| self.reached.max(self.floor));
        Place { after: self.resume.clone(), behind }
    }

    /// Takes `input` at the time `now`; `random` is in [0, 1). Answers with what is to be done, in order.
    pub fn step(&mut self, input: Input, now: Millis, random: f64) -> Vec<Effect> {
        let mut todo = Vec::new();
        match input {
            Input::Start { after, position } => self.start(after, position),
            Input::Hidden => self.hidden_since = self.hidden_since.or(Some(now)),
            Input::Visible => self.visible(),
            Input::Online => self.online(),
            Input::Offline => self.offline = true,
            _ if self.activity != Activity::Running => {}
            Input::Connected { position, heartbeat, recovered } => {
                self.connected(position, heartbeat, recovered, now, &mut todo);
            }
            Input::Rights(rights) => self.rights_are(rights, &mut todo),
            Input::Event { id, envelope } => {
                self.last_heard = Some(now);
                let (event_id, position) = (envelope.event_id, envelope.position);
                if self.deliver(*envelope, &mut todo) {
                    // An urgent event has the id of the one before it: those it overtook are still to come.
                    if id.parse() == Ok(event_id) {
                        self.reached = position;
                    }
                    self.resume = id;
                }
            }
            Input::Heartbeat { id, position } => {
                self.last_heard = Some(now);
                self.failures = 0;
                self.resume = id;
                self.reached = position;
                self.floor = self.floor.max(position);
            }
            Input::System(message) => self.told(&message, now, random, &mut todo),
            Input::Failed => self.lose_stream(now, random, &mut todo),
            Input::Polled(polled) => self.polled(polled, now, random, &mut todo),
            Input::Tick => {}
        }
        self.settle(now, random, &mut todo);
        todo
    }

    const fn is_polling(&self) -> bool {
        self.failures >= FAILURES_BEFORE_POLLING
    }

    fn start(&mut self, after: String, position: Position) {
        if self.activity == Activity::NotStarted {
            self.activity = Activity::Running;
            self.resume = after;
            self.reached = position;
            self.floor = position;
            self.retry_at_once();
        }
    }

    fn retry_at_once(&mut self) {
        if let Stream::Closed { retry_at } = &mut self.stream {
            *retry_at = Some(0);
        }
    }

    fn visible(&mut self) {
        self.hidden_since = None;
        if matches!(self.activity, Activity::Paused | Activity::SignedOut) {
            // Somebody may have signed in again in another tab.
            self.activity = Activity::Running;
            self.failures = 0;
        }
        self.retry_at_once();
    }

    fn online(&mut self) {
        self.offline = false;
        self.retry_at_once();
    }
}
