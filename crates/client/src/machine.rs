//! A subscriber's connection as a state machine.
//!
//! ```text
//! connecting ──connected──▶ live ──lost──▶ reconnecting (full jitter) ──▶ connecting
//!      │ 400, 401, 403, 406
//!      └──▶ ended
//! ```
//!
//! Pure: no I/O, no clock, no randomness. Time and chance are parameters, so that every path is a unit test.
//! [`Machine::step`] takes what happened and answers with what is to be done.
//!
//! What holds in every state, as in the dashboard's own client:
//! - The reader resumes from its own place: the id of the last message.
//! - An event is delivered once. Repeats are known by their id, and by the floor: the place up to which everything was
//!   offered. The *highest position seen* is no such place, for an urgent event may overtake others.
//! - At most one stream is under way.

mod hear;
mod signal;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::time::Duration;

use tidewatch_events::{Backoff, Position, ResumePoint, Seen};

use crate::notice::{Loss, State};
pub(crate) use signal::{Effect, Input};

/// A monotone time in milliseconds; its zero means nothing.
pub(crate) type Millis = u64;

/// A stream that does not say `connected` by then is lost.
pub(crate) const CONNECT_TIMEOUT_MS: Millis = 10_000;
/// A stream that lived so long has shown that the way is free: failures are counted anew.
const STABLE_MS: Millis = 5_000;
/// Heartbeats until the service says its own.
const DEFAULT_HEARTBEAT_MS: Millis = 15_000;
/// Longest wait that the service can ask for: a slip in a header must not park a reader for good.
const LONGEST_ASKED_MS: Millis = 600_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stream {
    NotStarted,
    Closed { retry_at: Millis },
    Opening { deadline: Millis },
    Open { since: Millis, behind: Position, gap_told: bool },
    Ended,
}

/// One subscriber's connection.
#[derive(Debug, Clone)]
pub(crate) struct Machine {
    stream: Stream,
    backoff: Backoff,
    failures: u32,
    /// What to resume behind.
    resume: ResumePoint,
    /// Everything up to here was offered, or is what the reader began with.
    floor: Position,
    seen: Seen,
    heartbeat: Millis,
    last_heard: Millis,
    /// `retry:` of the service: no stream is opened sooner after a loss.
    retry: Millis,
    /// What stands for the reader's rights; `None`: whatever is told next.
    rights: Option<String>,
}

impl Machine {
    /// A reader that begins behind `after`.
    pub(crate) fn new(after: ResumePoint, backoff: Backoff) -> Self {
        let floor = match after {
            ResumePoint::Position(position) => position,
            ResumePoint::Token(token) => token.position,
            _ => Position::START,
        };
        Self {
            stream: Stream::NotStarted,
            backoff,
            failures: 0,
            resume: after,
            floor,
            seen: Seen::default(),
            heartbeat: DEFAULT_HEARTBEAT_MS,
            last_heard: 0,
            retry: 0,
            rights: None,
        }
    }

    /// Takes `input` at the time `now`; `random` is in [0, 1). Answers with what is to be done, in order.
    pub(crate) fn step(&mut self, input: Input, now: Millis, random: f64) -> Vec<Effect> {
        let mut todo = Vec::new();
        match input {
            Input::Start if self.stream == Stream::NotStarted => {
                self.stream = Stream::Closed { retry_at: now }
            }
            Input::Start | Input::Tick => {}
            // What was on its way when the stream was given up counts no more: it will come again.
            _ if !self.is_under_way() => {}
            Input::Refused => {
                self.stream = Stream::Ended;
                todo.extend([Effect::Close, Effect::GiveUp]);
            }
            Input::Lost { loss, retry_after } => self.lose(loss, retry_after, now, random, &mut todo),
            heard => {
                self.last_heard = now;
                self.hear(heard, now, random, &mut todo);
            }
        }
        self.settle(now, random, &mut todo);
        todo
    }

    const fn is_under_way(&self) -> bool {
        matches!(self.stream, Stream::Opening { .. } | Stream::Open { .. })
    }

    /// The stream broke, could not be opened, or fell silent.
    fn lose(
        &mut self,
        loss: Loss,
        retry_after: Option<Millis>,
        now: Millis,
        random: f64,
        todo: &mut Vec<Effect>,
    ) {
        self.failures = match self.stream {
            Stream::Open { since, .. } if now.saturating_sub(since) >= STABLE_MS => 1,
            _ => self.failures.saturating_add(1),
        };
        let wait = self.delay(self.failures, random).max(retry_after.unwrap_or(0));
        self.close_for(wait, loss, now, todo);
    }

    fn close_for(&mut self, wait: Millis, loss: Loss, now: Millis, todo: &mut Vec<Effect>) {
        let asked = wait.max(self.retry).min(LONGEST_ASKED_MS);
        self.stream = Stream::Closed { retry_at: now + asked };
        let wait = Duration::from_millis(asked);
        todo.extend([Effect::Close, Effect::State(State::Reconnecting { wait, loss })]);
    }

    fn delay(&self, failures: u32, random: f64) -> Millis {
        Millis::try_from(self.backoff.delay(failures, random).as_millis()).unwrap_or(LONGEST_ASKED_MS)
    }

    /// Does what the time asks for, and says when to look again.
    fn settle(&mut self, now: Millis, random: f64, todo: &mut Vec<Effect>) {
        if self.silence().is_some_and(|deadline| deadline <= now) {
            let opened = matches!(self.stream, Stream::Open { .. });
            let loss = if opened { Loss::Silence } else { Loss::NoAnswer };
            self.lose(loss, None, now, random, todo);
        }
        if matches!(self.stream, Stream::Closed { retry_at } if retry_at <= now) {
            self.stream = Stream::Opening { deadline: now + CONNECT_TIMEOUT_MS };
            todo.extend([Effect::State(State::Connecting), Effect::Open { after: self.resume }]);
        }
        let next_look = match self.stream {
            Stream::Closed { retry_at } => Some(retry_at),
            _ => self.silence(),
        };
        todo.extend(next_look.map(|at| Effect::Schedule { at: at.max(now + 1) }));
    }

    /// When an opening or open stream counts as lost.
    fn silence(&self) -> Option<Millis> {
        match self.stream {
            Stream::Opening { deadline } => Some(deadline),
            Stream::Open { .. } => Some(self.last_heard + 2 * self.heartbeat),
            Stream::NotStarted | Stream::Closed { .. } | Stream::Ended => None,
        }
    }
}
