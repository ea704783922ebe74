//! One stream for all tabs of a browser: who has it, who hears of it, and from where each goes on.
//!
//! ```text
//!            lock granted                          lock granted (the leader is gone)
//!   asking ──────────────▶ leading        asking ──▶ following ──────────────▶ leading
//!                             │ stream, polls             ▲ missed events, then all that is heard
//!                             └───────── channel ─────────┘
//! ```
//!
//! HTTP/1.1 gives a browser six connections a host, and a stream takes one of them for good. So the
//! tabs ask for a lock. Who gets it *leads*: it opens the stream and passes on what it hears, in
//! pages as well while it polls. The others *follow*: their machines see a stream like any other,
//! which is the channel to the leader.
//!
//! Pure: no I/O, no clock, no randomness. What holds:
//! - Each tab goes on from its own place, whoever leads. A leader opens the stream behind its own;
//!   a follower tells its own and is given what it lacks from the leader's [`Recent`], fetches what
//!   is older, or is told that history was lost. Nothing depends on what a dead leader had sent.
//! - What a leader says is numbered, so that a follower that misses some of it asks again.
//! - Positions are compared within one history alone ([`Epoch`]).
//! - A leader that answers nobody has frozen: it is robbed of the lock, and finds out.

mod follow;
mod lead;
mod note;
mod recent;

use tidewatch_events::position::{Epoch, PositionToken};
use tidewatch_events::stream::{SystemCode, SystemMessage};
use tidewatch_events::{EventId, Position};

use super::heard::Heard;
use super::machine::{self, Place, Polled, Status};
use follow::CatchingUp;
use lead::Lead;
pub use note::{Asker, Leader, Note, Saying, Standing, TabId, Welcome};
use recent::Recent;

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// The tab's machine wants a stream behind its place.
    Open,
    /// It wants none.
    Close,
    /// The tab's own connection stands like this.
    Status(Status),
    /// The tab goes away, or elsewhere.
    Leave,
    /// The lock is this tab's.
    LockGranted,
    /// Another tab took it.
    LockLost,
    /// The stream that this tab opened says something.
    Source(Vec<Heard>),
    /// It broke or could not be opened.
    SourceFailed,
    /// A poll of this tab was answered, with what stands for its rights; its machine is told, too.
    Polled(Option<String>, Polled),
    /// A page that was asked for is there.
    Fetched {
        /// The number of the request.
        number: u32,
        /// The page.
        polled: Polled,
    },
    /// Another tab says something.
    Note(Note),
}

/// Something to be done.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Tell the tab's machine.
    Tell(machine::Input),
    /// Open the stream behind this place. There is none open.
    OpenSource {
        /// `after` of the URL.
        after: String,
    },
    /// Close the stream and hear nothing of it any more.
    CloseSource,
    /// Ask for the lock, in the place of whatever was asked for before.
    RequestLock {
        /// Take it from whoever has it.
        steal: bool,
    },
    /// Give the lock up, or do not wait for it any more; hear no notes until it is asked for again.
    ReleaseLock,
    /// Tell all other tabs.
    Post(Note),
    /// Get the page behind this place.
    Fetch {
        /// Comes back with the answer.
        number: u32,
        /// `after` of the URL.
        after: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lock {
    NotWanted,
    Asked,
    Held,
}

#[derive(Debug, Clone)]
enum Link {
    /// No stream is wanted.
    Apart,
    /// Whoever leads was asked to let this tab in.
    Joining { answered: bool },
    /// Let in, and reading what the leader has no more.
    CatchingUp(Box<CatchingUp>),
    /// In.
    Following { leader: Leader, heard: u64, status: Status },
    /// This tab has the lock.
    Leading(Lead),
}

/// What one tab knows of the stream that it shares.
#[derive(Debug, Clone)]
pub struct Share {
    tab: TabId,
    /// The machine wants a stream.
    wanted: bool,
    lock: Lock,
    link: Link,
    recent: Recent,
    epoch: Option<Epoch>,
    rights: String,
    status: Status,
    joins: u32,
    terms: u32,
    /// Nobody answered the last time that this tab asked to be let in.
    unanswered: bool,
}

impl Share {
    /// How many events are kept for those who come later.
    pub const CAPACITY: usize = 1_000;

    /// The share of a tab that wants no stream yet.
    #[must_use]
    pub const fn new(tab: TabId) -> Self {
        Self::with_capacity(tab, Self::CAPACITY)
    }

    /// One that keeps `capacity` events.
    #[must_use]
    pub const fn with_capacity(tab: TabId, capacity: usize) -> Self {
        Self {
            tab,
            wanted: false,
            lock: Lock::NotWanted,
            link: Link::Apart,
            recent: Recent::with_capacity(capacity),
            epoch: None,
            rights: String::new(),
            status: Status::Connecting,
            joins: 0,
            terms: 0,
            unanswered: false,
        }
    }

    /// How the connection stands for people: a follower is as live as its leader.
    #[must_use]
    pub const fn shown(&self, own: Status) -> Status {
        match (own, &self.link) {
            (Status::Live, Link::Following { status, .. }) => *status,
            _ => own,
        }
    }

    /// Takes `input`; `place` is where the tab's machine stands. Answers with what is to be done, in order.
    pub fn step(&mut self, input: Input, place: &Place) -> Vec<Effect> {
        let mut todo = Vec::new();
        match input {
            Input::Open => self.open(place, &mut todo),
            Input::Close => self.close(&mut todo),
            Input::Status(status) => self.stands(status, &mut todo),
            Input::Leave => self.leave(&mut todo),
            Input::LockGranted => self.granted(place, &mut todo),
            Input::LockLost => self.robbed(place, &mut todo),
            Input::Source(heard) => self.source_says(heard, &mut todo),
            Input::SourceFailed => todo.push(Effect::Tell(machine::Input::Failed)),
            Input::Polled(rights, polled) => self.polled(rights, polled, &mut todo),
            Input::Fetched { number, polled } => self.fetched(number, polled, &mut todo),
            Input::Note(Note::Leads) => self.somebody_leads(place, &mut todo),
            Input::Note(Note::Join { asker, standing }) => self.asked(asker, standing, &mut todo),
            Input::Note(Note::Wait(asker)) => self.told_to_wait(asker),
            Input::Note(Note::Welcome(welcome)) => self.welcomed(*welcome, place, &mut todo),
            Input::Note(Note::Said { leader, number, saying }) => {
                self.told(leader, number, saying, place, &mut todo);
            }
        }
        todo
    }

    fn open(&mut self, place: &Place, todo: &mut Vec<Effect>) {
        self.wanted = true;
        // The first place that a page gives is a token.
        self.epoch = self.epoch.or_else(|| epoch_of(&place.after));
        if matches!(self.link, Link::Leading(_)) {
            todo.push(Effect::OpenSource { after: place.after.clone() });
            return;
        }
        let steal = std::mem::take(&mut self.unanswered);
        if self.lock == Lock::NotWanted || steal {
            self.lock = Lock::Asked;
            todo.push(Effect::RequestLock { steal });
        }
        // What this tab's machine polled meanwhile is not kept here.
        self.recent.restart(place.behind);
        self.join(place, todo);
    }

    fn close(&mut self, todo: &mut Vec<Effect>) {
        let wanted = std::mem::take(&mut self.wanted);
        match self.link {
            Link::Leading(_) if wanted => todo.push(Effect::CloseSource),
            Link::Leading(_) => {}
            Link::Joining { answered } => {
                self.unanswered = !answered;
                self.link = Link::Apart;
            }
            _ => self.link = Link::Apart,
        }
    }

    fn leave(&mut self, todo: &mut Vec<Effect>) {
        self.close(todo);
        self.link = Link::Apart;
        self.unanswered = false;
        if self.lock != Lock::NotWanted {
            self.lock = Lock::NotWanted;
            todo.push(Effect::ReleaseLock);
        }
    }

    fn stands(&mut self, status: Status, todo: &mut Vec<Effect>) {
        self.status = status;
        match status {
            Status::Paused => self.leave(todo),
            Status::SignedOut => {
                let ended = SystemMessage {
                    code: SystemCode::SessionExpired,
                    message: "Another tab was told so.".to_owned(),
                    data: None,
                };
                self.say(Saying::Heard(vec![Heard::System(ended)]), todo);
                self.leave(todo);
            }
            _ => self.pass_on_how_it_stands(todo),
        }
    }

    /// Tells the machine, and keeps what others may lack.
    fn hear(&mut self, heard: Vec<Heard>, todo: &mut Vec<Effect>) {
        for heard in heard {
            self.note_down(&heard);
            todo.push(Effect::Tell(heard.into()));
        }
    }

    fn note_down(&mut self, heard: &Heard) {
        match heard {
            Heard::Rights(rights) => rights.clone_into(&mut self.rights),
            Heard::Connected { id, position, recovered, .. } => {
                self.epoch = epoch_of(id).or(self.epoch);
                if !recovered {
                    self.recent.restart(Some(*position));
                }
            }
            Heard::Event { id, envelope } => self.recent.push(id, envelope),
            Heard::Heartbeat { id, .. } => self.epoch = epoch_of(id).or(self.epoch),
            Heard::System(SystemMessage { code: SystemCode::HistoryGap, data, .. }) => {
                let here = data.as_ref().and_then(|data| data.get("position")?.as_u64());
                match here.and_then(Position::new) {
                    Some(position) => self.recent.restart(Some(position)),
                    None => self.recent.forget(),
                }
            }
            Heard::System(SystemMessage { code: SystemCode::PermissionsChanged, .. }) => {
                // They were for the rights of then. What stands for those of now is not told before the
                // next connection; until then it is something that stood for none before.
                self.recent.forget();
                self.rights.push('+');
            }
            Heard::System(_) => {}
        }
    }

    /// What a reader resumes with behind `position`.
    fn token_of(&self, position: Position) -> String {
        match self.epoch {
            Some(epoch) => PositionToken { epoch, position }.to_string(),
            None => position.to_string(),
        }
    }
}

fn epoch_of(id: &str) -> Option<Epoch> {
    id.parse::<PositionToken>().ok().map(|token| token.epoch)
}

/// Events of a page as a stream would have sent them.
fn as_heard(events: Vec<tidewatch_events::Envelope>) -> impl Iterator<Item = Heard> {
    let id_of = |id: EventId| id.to_string();
    events.into_iter().map(move |event| Heard::Event { id: id_of(event.event_id), envelope: Box::new(event) })
}
