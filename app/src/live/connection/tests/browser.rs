//! A browser with tabs, a lock and a channel, and a service with a log, all by hand.

use std::collections::{BTreeMap, VecDeque};

use tidewatch_events::EventId;
use tidewatch_events::position::{Epoch, PositionToken};

use crate::live::connection::{Connection, Effect};
use crate::live::heard::Heard;
use crate::live::machine::{Input, Millis, Polled, Status};
use crate::live::share::{self, Note, Share, TabId};
use crate::live::testing::{at, event};

/// Time between two heartbeats of the service.
const HEARTBEAT_MS: Millis = 15_000;
/// Events of one page.
const PAGE: u64 = 4;

/// Names a tab of the test.
pub(super) type Name = usize;

/// A stream of one tab.
pub(super) struct Source {
    pub(super) next: u64,
    pub(super) connected: bool,
    pub(super) recovered: bool,
}

pub(super) struct Tab {
    connection: Connection,
    alarm: Option<Millis>,
    pub(super) source: Option<Source>,
    pub(super) poll: Option<String>,
    pub(super) fetch: Option<(u32, String)>,
    /// The lock is its own, or was taken from it, and it does not know yet.
    granted: bool,
    robbed: bool,
    pub(super) frozen: bool,
    listens: bool,
    /// Where its data began.
    pub(super) began: u64,
    pub(super) got: Vec<u64>,
    pub(super) read_anew: Vec<u64>,
}

pub(super) struct Browser {
    pub(super) tabs: BTreeMap<Name, Tab>,
    next_name: Name,
    capacity: usize,
    pub(super) now: Millis,
    /// The log is the numbers from `oldest` to `head`.
    pub(super) head: u64,
    pub(super) oldest: u64,
    pub(super) epoch: u32,
    pub(super) lock: Option<Name>,
    queue: VecDeque<Name>,
    /// Notes under way, by sender and receiver: those of one sender arrive in order.
    pub(super) notes: BTreeMap<(Name, Name), VecDeque<Note>>,
}

impl Browser {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            tabs: BTreeMap::new(),
            next_name: 0,
            capacity,
            now: 0,
            head: 10,
            oldest: 1,
            epoch: 1,
            lock: None,
            queue: VecDeque::new(),
            notes: BTreeMap::new(),
        }
    }

    pub(super) fn token(&self, position: u64) -> String {
        PositionToken { epoch: Epoch(self.epoch), position: at(position) }.to_string()
    }

    /// Opens a tab whose data contains everything up to `began`.
    pub(super) fn open(&mut self, began: u64) -> Name {
        let name = self.next_name;
        self.next_name += 1;
        let share = Share::with_capacity(TabId::draw(name as f64 / 1_000.0), self.capacity);
        let mut connection = Connection::with_share(share);
        let _ = connection.scoped(self.now, 0.3);
        let tab = Tab {
            connection,
            alarm: None,
            source: None,
            poll: None,
            fetch: None,
            granted: false,
            robbed: false,
            frozen: false,
            listens: false,
            began,
            got: Vec::new(),
            read_anew: Vec::new(),
        };
        self.tabs.insert(name, tab);
        let after = self.token(began);
        self.take(name, Input::Start { after, position: at(began) });
        name
    }

    /// The tab is gone; of its notes that are under way, each tab gets `arrive` at most.
    pub(super) fn close(&mut self, name: Name, arrive: usize) {
        self.tabs.remove(&name);
        self.release(name);
        for ((from, _), notes) in &mut self.notes {
            if *from == name {
                notes.truncate(arrive);
            }
        }
    }

    pub(super) fn tab(&mut self, name: Name) -> &mut Tab {
        self.tabs.get_mut(&name).expect("the tab")
    }

    pub(super) fn status(&self, name: Name) -> Status {
        self.tabs[&name].connection.status()
    }

    pub(super) fn take(&mut self, name: Name, input: Input) {
        let now = self.now;
        let effects = self.tab(name).connection.take(input, now, 0.3);
        self.carry_out(name, effects);
    }

    pub(super) fn hear(&mut self, name: Name, input: share::Input) {
        let now = self.now;
        let effects = self.tab(name).connection.hear(input, now, 0.3);
        self.carry_out(name, effects);
    }

    fn carry_out(&mut self, name: Name, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::OpenSource { after } => {
                    assert!(self.lock == Some(name) || self.tab(name).robbed, "with the lock alone");
                    let (next, recovered) = self.start_of(&after);
                    let source = Source { next, connected: false, recovered };
                    assert!(self.tab(name).source.replace(source).is_none(), "one stream at a time");
                }
                Effect::CloseSource => assert!(self.tab(name).source.take().is_some(), "only an open stream"),
                Effect::Poll { after, .. } => assert_eq!(self.tab(name).poll.replace(after), None),
                // Also of one whose answer is being taken.
                Effect::CancelPoll => self.tab(name).poll = None,
                Effect::Fetch { number, after } => self.tab(name).fetch = Some((number, after)),
                Effect::RequestLock { steal } => self.request(name, steal),
                Effect::ReleaseLock => {
                    self.tab(name).listens = false;
                    self.release(name);
                }
                Effect::Post(note) => self.post(name, &note),
                Effect::Schedule { at } => self.tab(name).alarm = Some(at),
                Effect::Deliver(envelope) => self.tab(name).got.push(envelope.position.get()),
                Effect::Refetch { behind } => {
                    let tab = self.tab(name);
                    tab.read_anew.push(behind.get());
                    tab.got.clear();
                    tab.began = behind.get();
                }
            }
        }
    }

    /// The next number behind `after`, and whether the service knows the place.
    fn start_of(&self, after: &str) -> (u64, bool) {
        let token = after.parse::<PositionToken>().ok();
        let id = after.parse::<EventId>().ok().map(|id| id.uuid().as_u128() as u64);
        let place = match token {
            Some(token) if token.epoch == Epoch(self.epoch) => Some(token.position.get()),
            Some(_) => None,
            None if after == "latest" => Some(self.head),
            None => Some(id.or_else(|| after.parse().ok()).expect("a place that the service gave out")),
        };
        match place.filter(|place| place + 1 >= self.oldest && *place <= self.head) {
            Some(place) => (place + 1, true),
            None => (self.head + 1, false),
        }
    }

    fn request(&mut self, name: Name, steal: bool) {
        self.tab(name).listens = true;
        self.queue.retain(|waiting| *waiting != name);
        if !steal {
            self.queue.push_back(name);
            return;
        }
        if let Some(victim) = self.lock.replace(name).filter(|victim| *victim != name) {
            let victim = self.tab(victim);
            victim.robbed = !std::mem::take(&mut victim.granted);
        }
        self.tab(name).granted = true;
    }

    fn release(&mut self, name: Name) {
        self.queue.retain(|waiting| *waiting != name);
        self.lock = self.lock.filter(|holder| *holder != name);
        if let Some(tab) = self.tabs.get_mut(&name) {
            tab.granted = false;
            tab.robbed = false;
        }
    }

    fn post(&mut self, from: Name, note: &Note) {
        let text = serde_json::to_string(note).expect("JSON");
        let note: Note = serde_json::from_str(&text).expect("a note");
        let listeners: Vec<Name> = self
            .tabs
            .iter()
            .filter(|(name, tab)| **name != from && tab.listens)
            .map(|(name, _)| *name)
            .collect();
        for to in listeners {
            self.notes.entry((from, to)).or_default().push_back(note.clone());
        }
    }

    fn awake(&self, name: Name) -> bool {
        self.tabs.get(&name).is_some_and(|tab| !tab.frozen)
    }

    /// What the browser has to say of the lock is said.
    pub(super) fn settle_lock(&mut self) {
        if self.lock.is_none()
            && let Some(next) = self.queue.pop_front()
        {
            self.lock = Some(next);
            self.tab(next).granted = true;
        }
        for name in self.names() {
            if !self.awake(name) {
                continue;
            }
            if std::mem::take(&mut self.tab(name).robbed) {
                self.hear(name, share::Input::LockLost);
            }
            if std::mem::take(&mut self.tab(name).granted) {
                self.hear(name, share::Input::LockGranted);
            }
        }
    }

    pub(super) fn names(&self) -> Vec<Name> {
        self.tabs.keys().copied().collect()
    }

    /// Up to `count` notes on the way from one tab to another arrive.
    pub(super) fn deliver(&mut self, from: Name, to: Name, count: usize) {
        for _ in 0..count {
            if !self.awake(to) {
                return;
            }
            let Some(note) = self.notes.get_mut(&(from, to)).and_then(VecDeque::pop_front) else { return };
            if self.tab(to).listens {
                self.hear(to, share::Input::Note(note));
            }
        }
    }

    /// All notes arrive, and those that they lead to.
    pub(super) fn deliver_all(&mut self) {
        while let Some((from, to)) = self
            .notes
            .iter()
            .find(|((_, to), notes)| !notes.is_empty() && self.awake(*to))
            .map(|(names, _)| *names)
        {
            self.deliver(from, to, usize::MAX);
        }
        self.notes.retain(|(_, to), _| self.tabs.contains_key(to));
    }

    pub(super) fn connect(&mut self, name: Name) {
        if !self.awake(name) {
            return;
        }
        let Some(source) = &mut self.tab(name).source else { return };
        if !std::mem::replace(&mut source.connected, true) {
            let (position, recovered) = (source.next - 1, source.recovered);
            let id = self.token(position);
            let connected =
                Heard::Connected { id, position: at(position), heartbeat: HEARTBEAT_MS, recovered };
            self.hear(name, share::Input::Source(vec![Heard::Rights("rights".into()), connected]));
        }
    }

    /// The stream of this tab sends up to `count` events.
    pub(super) fn send(&mut self, name: Name, count: u64) {
        for _ in 0..count {
            let head = self.head;
            if !self.awake(name) {
                return;
            }
            let Some(source) = &mut self.tab(name).source else { return };
            if !source.connected || source.next > head {
                return;
            }
            let number = source.next;
            source.next += 1;
            self.hear(name, share::Input::Source(vec![heard(number)]));
        }
    }

    pub(super) fn beat(&mut self, name: Name) {
        if !self.awake(name) {
            return;
        }
        let Some(Source { next, connected: true, .. }) = self.tab(name).source else { return };
        let id = self.token(next - 1);
        self.hear(name, share::Input::Source(vec![Heard::Heartbeat { id, position: at(next - 1) }]));
    }

    pub(super) fn answer_poll(&mut self, name: Name, well: bool) {
        if !self.awake(name) {
            return;
        }
        let Some(after) = self.tab(name).poll.take() else { return };
        let polled = if well { self.page(&after) } else { Polled::Failed { retry_after: None } };
        self.polled(name, well.then(|| "rights".to_owned()), polled);
    }

    pub(super) fn polled(&mut self, name: Name, rights: Option<String>, polled: Polled) {
        let now = self.now;
        let effects = self.tab(name).connection.polled(rights, polled, now, 0.3);
        self.carry_out(name, effects);
    }

    pub(super) fn leave(&mut self, name: Name) {
        let now = self.now;
        let effects = self.tab(name).connection.leave(now, 0.3);
        self.carry_out(name, effects);
    }

    pub(super) fn answer_fetch(&mut self, name: Name, well: bool) {
        if !self.awake(name) {
            return;
        }
        let Some((number, after)) = self.tab(name).fetch.take() else { return };
        let polled = if well { self.page(&after) } else { Polled::Failed { retry_after: None } };
        self.hear(name, share::Input::Fetched { number, polled });
    }

    fn page(&self, after: &str) -> Polled {
        let (next, true) = self.start_of(after) else { return Polled::Gap };
        let last = self.head.min(next + PAGE - 1);
        let events = (next..=last).map(event).collect();
        Polled::Page { events, position: at(last.max(next - 1)), has_more: last < self.head }
    }

    pub(super) fn pass(&mut self, milliseconds: Millis) {
        self.now += milliseconds;
        for name in self.names() {
            if self.awake(name) && self.tab(name).alarm.is_some_and(|alarm| alarm <= self.now) {
                self.take(name, Input::Tick);
            }
        }
    }

    /// Everything that can happen without anything new happens.
    pub(super) fn settle(&mut self) {
        for _ in 0..12 {
            self.settle_lock();
            self.deliver_all();
            for name in self.names() {
                self.connect(name);
                self.send(name, u64::MAX);
                self.answer_poll(name, true);
                self.answer_fetch(name, true);
            }
        }
        self.deliver_all();
    }

    /// Which tabs have a stream.
    pub(super) fn streams(&self) -> Vec<Name> {
        self.tabs.iter().filter(|(_, tab)| tab.source.is_some()).map(|(name, _)| *name).collect()
    }
}

/// The event with this number, as a stream sends it.
pub(super) fn heard(number: u64) -> Heard {
    Heard::Event { id: event(number).event_id.to_string(), envelope: Box::new(event(number)) }
}
