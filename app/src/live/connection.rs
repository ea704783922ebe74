//! One tab's connection: its machine, and its share in the stream of all tabs.
//!
//! The machine says *that* a stream is wanted and what becomes of what is heard, the share says
//! *where* it comes from. Pure, as both are.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;

use tidewatch_events::{Envelope, Position};

use super::machine::{self, Machine, Millis, Polled, Status};
use super::share::{self, Note, Share, TabId};

/// Something to be done by the browser.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// As [`share::Effect::OpenSource`].
    OpenSource {
        /// `after` of the URL.
        after: String,
    },
    /// As [`share::Effect::CloseSource`].
    CloseSource,
    /// As [`machine::Effect::Poll`].
    Poll {
        /// `after` of the URL.
        after: String,
        /// Seconds that the server may hold the answer back.
        wait_seconds: u32,
    },
    /// As [`machine::Effect::CancelPoll`].
    CancelPoll,
    /// As [`share::Effect::Fetch`].
    Fetch {
        /// Comes back with the answer.
        number: u32,
        /// `after` of the URL.
        after: String,
    },
    /// As [`share::Effect::RequestLock`].
    RequestLock {
        /// Take it from whoever has it.
        steal: bool,
    },
    /// As [`share::Effect::ReleaseLock`].
    ReleaseLock,
    /// As [`share::Effect::Post`].
    Post(Note),
    /// As [`machine::Effect::Schedule`].
    Schedule {
        /// When.
        at: Millis,
    },
    /// As [`machine::Effect::Deliver`].
    Deliver(Box<Envelope>),
    /// As [`machine::Effect::Refetch`].
    Refetch {
        /// The place.
        behind: Position,
    },
}

/// The connection of one tab.
#[derive(Debug, Clone)]
pub struct Connection {
    machine: Machine,
    share: Share,
    /// The status that the share knows of.
    told: Status,
    /// Whether it is known with whom to share.
    has_scope: bool,
    /// A stream is wanted, and waits for that.
    waits: bool,
}

impl Connection {
    /// A connection that does nothing yet.
    #[must_use]
    pub fn new(tab: TabId) -> Self {
        Self::with_share(Share::new(tab))
    }

    pub(super) fn with_share(share: Share) -> Self {
        Self { machine: Machine::default(), share, told: Status::Connecting, has_scope: false, waits: false }
    }

    /// What people are told.
    #[must_use]
    pub fn status(&self) -> Status {
        self.share.shown(self.machine.status())
    }

    /// When anything was last heard from the service.
    #[must_use]
    pub const fn last_heard(&self) -> Option<Millis> {
        self.machine.last_heard()
    }

    /// Time between two heartbeats.
    #[must_use]
    pub const fn heartbeat(&self) -> Millis {
        self.machine.heartbeat()
    }

    /// Takes what happened to the tab itself. Answers with what is to be done, in order.
    pub fn take(&mut self, input: machine::Input, now: Millis, random: f64) -> Vec<Effect> {
        Run { inputs: [input].into(), ..Run::default() }.through(self, now, random)
    }

    /// Takes what happened to what is shared.
    pub fn hear(&mut self, input: share::Input, now: Millis, random: f64) -> Vec<Effect> {
        Run { shares: [input].into(), ..Run::default() }.through(self, now, random)
    }

    /// Takes the answer to a poll, with what stands for the reader's rights.
    pub fn polled(
        &mut self,
        rights: Option<String>,
        polled: Polled,
        now: Millis,
        random: f64,
    ) -> Vec<Effect> {
        let mut todo = self.hear(share::Input::Polled(rights.clone(), polled.clone()), now, random);
        if let Some(rights) = rights {
            todo.extend(self.take(machine::Input::Rights(rights), now, random));
        }
        todo.extend(self.take(machine::Input::Polled(polled), now, random));
        todo
    }

    /// From now on it is known with whom to share: a stream that waits for that is opened.
    pub fn scoped(&mut self, now: Millis, random: f64) -> Vec<Effect> {
        self.has_scope = true;
        if std::mem::take(&mut self.waits) { self.hear(share::Input::Open, now, random) } else { Vec::new() }
    }

    /// The tab goes away or elsewhere. Should it live on, it connects anew.
    pub fn leave(&mut self, now: Millis, random: f64) -> Vec<Effect> {
        let mut todo = self.hear(share::Input::Leave, now, random);
        todo.extend(self.take(machine::Input::Failed, now, random));
        todo
    }
}

/// What one input sets going, until all is quiet.
#[derive(Default)]
struct Run {
    /// Before `shares`: the share always sees where the machine stands after all that it was told.
    inputs: VecDeque<machine::Input>,
    shares: VecDeque<share::Input>,
    todo: Vec<Effect>,
}

impl Run {
    fn through(mut self, tab: &mut Connection, now: Millis, random: f64) -> Vec<Effect> {
        loop {
            if let Some(input) = self.inputs.pop_front() {
                let effects = tab.machine.step(input, now, random);
                effects.into_iter().for_each(|effect| self.take_from_machine(effect, tab));
                let status = without_time(tab.machine.status());
                if std::mem::replace(&mut tab.told, status) != status {
                    self.shares.push_back(share::Input::Status(status));
                }
            } else if let Some(input) = self.shares.pop_front() {
                let effects = tab.share.step(input, &tab.machine.place());
                effects.into_iter().for_each(|effect| self.take_from_share(effect));
            } else {
                return self.todo;
            }
        }
    }

    fn take_from_machine(&mut self, effect: machine::Effect, tab: &mut Connection) {
        self.todo.push(match effect {
            machine::Effect::OpenStream { .. } if tab.has_scope => {
                self.shares.push_back(share::Input::Open);
                return;
            }
            machine::Effect::OpenStream { .. } => {
                tab.waits = true;
                return;
            }
            machine::Effect::CloseStream => {
                tab.waits = false;
                self.shares.push_back(share::Input::Close);
                return;
            }
            machine::Effect::Poll { after, wait_seconds } => Effect::Poll { after, wait_seconds },
            machine::Effect::CancelPoll => Effect::CancelPoll,
            machine::Effect::Schedule { at } => Effect::Schedule { at },
            machine::Effect::Deliver(envelope) => Effect::Deliver(envelope),
            machine::Effect::Refetch { behind } => Effect::Refetch { behind },
        });
    }

    fn take_from_share(&mut self, effect: share::Effect) {
        self.todo.push(match effect {
            share::Effect::Tell(input) => {
                self.inputs.push_back(input);
                return;
            }
            share::Effect::OpenSource { after } => Effect::OpenSource { after },
            share::Effect::CloseSource => Effect::CloseSource,
            share::Effect::RequestLock { steal } => Effect::RequestLock { steal },
            share::Effect::ReleaseLock => Effect::ReleaseLock,
            share::Effect::Post(note) => Effect::Post(note),
            share::Effect::Fetch { number, after } => Effect::Fetch { number, after },
        });
    }
}

/// One tab's clock says nothing to another.
const fn without_time(status: Status) -> Status {
    match status {
        Status::Reconnecting { .. } => Status::Reconnecting { at: None },
        _ => status,
    }
}
