//! The browser's side of the stream: EventSource, fetch, timers, visibility, network, other tabs.
//!
//! It decides nothing. What happens becomes an input of the [`Connection`], and the connection's
//! [`Effect`]s are carried out.

mod channel;
mod lock;
mod page;
mod receipts;
mod source;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::de::DeserializeOwned;
use tidewatch_events::Position;
use web_sys::AbortController;

use self::channel::Channel;
use self::lock::{LockNews, WebLock};
use self::source::Source;
use super::client::{Anchor, Callback, Pulse};
use super::connection::{Connection, Effect};
use super::feed::{CatchUp, Feed, SubscriberId};
use super::machine::{Input, Millis, Status};
use super::share::{self, TabId};
use crate::contexts::clock;
use crate::contexts::project::in_project;

const EVENTS_URL: &str = "/api/v1/events?types=*";
/// What the stream is asked beside that; a page of events has no names.
const NAMELESS: &str = "&named=false";

/// The tab's connection: a handle that can be copied.
#[derive(Clone, Copy)]
pub(super) struct Transport(StoredValue<Rc<Tab>, LocalStorage>);

impl Transport {
    pub(super) fn new(status: RwSignal<Status>, pulse: RwSignal<Pulse>, rights: RwSignal<u32>) -> Self {
        Self(StoredValue::new_local(Tab::new(status, pulse, rights)))
    }

    pub(super) fn subscribe(self, anchor: &Anchor, callback: Callback) -> (SubscriberId, CatchUp) {
        let answer = self.0.get_value().feed.borrow_mut().subscribe(anchor.position, callback);
        // The machine takes the first one; to start it again changes nothing.
        self.connect(anchor);
        answer
    }

    pub(super) fn connect(self, anchor: &Anchor) {
        let tab = self.0.get_value();
        tab.feed.borrow_mut().begin(anchor.position);
        tab.take(Input::Start { after: anchor.resume_token.clone(), position: anchor.position });
    }

    pub(super) fn share_in(self, scope: Option<String>) {
        self.0.get_value().share_in(scope);
    }

    pub(super) fn resume(self, id: SubscriberId, from: Position) -> CatchUp {
        self.0.get_value().feed.borrow_mut().resume(id, from)
    }

    pub(super) fn unsubscribe(self, id: SubscriberId) {
        if let Some(tab) = self.0.try_get_value() {
            tab.feed.borrow_mut().unsubscribe(id);
        }
    }
}

/// Tells the tab what was heard, as long as there is one.
fn hearer<T: 'static>(tab: &Weak<Tab>, input: impl Fn(T) -> share::Input + 'static) -> Box<dyn Fn(T)> {
    let tab = Weak::clone(tab);
    Box::new(move |heard| {
        if let Some(tab) = tab.upgrade() {
            tab.hear(input(heard));
        }
    })
}

/// With whom the stream is shared.
#[derive(Clone, PartialEq)]
enum Scope {
    NotKnown,
    Alone,
    /// With all tabs that know it by this name.
    Tabs(String),
}

struct Tab {
    status: RwSignal<Status>,
    pulse: RwSignal<Pulse>,
    rights: RwSignal<u32>,
    connection: RefCell<Connection>,
    feed: RefCell<Feed<Callback>>,
    source: Source,
    channel: Channel,
    scope: RefCell<Scope>,
    lock: RefCell<Option<WebLock>>,
    poll: RefCell<Option<AbortController>>,
    /// Counts polls: the answer to one that was given up is not heard.
    poll_number: Cell<u64>,
    alarm: Cell<Option<TimeoutHandle>>,
}

impl Tab {
    fn new(status: RwSignal<Status>, pulse: RwSignal<Pulse>, rights: RwSignal<u32>) -> Rc<Self> {
        let tab = Rc::new_cyclic(|tab: &Weak<Self>| Self {
            status,
            pulse,
            rights,
            connection: RefCell::new(Connection::new(TabId::draw(js_sys::Math::random()))),
            feed: RefCell::default(),
            source: Source::new(
                hearer(tab, share::Input::Source),
                hearer(tab, |()| share::Input::SourceFailed),
            ),
            channel: Channel::new(hearer(tab, share::Input::Note)),
            scope: RefCell::new(Scope::NotKnown),
            lock: RefCell::default(),
            poll: RefCell::default(),
            poll_number: Cell::default(),
            alarm: Cell::default(),
        });
        tab.watch_the_browser();
        tab
    }

    fn watch_the_browser(self: &Rc<Self>) {
        for name in ["visibilitychange", "pageshow", "online", "offline"] {
            let tab = Rc::clone(self);
            // As long as the tab: nobody takes it off.
            let _ = window_event_listener_untyped(name, move |_| {
                tab.take(match name {
                    "online" => Input::Online,
                    "offline" => Input::Offline,
                    _ if document().hidden() => Input::Hidden,
                    _ => Input::Visible,
                });
            });
        }
        let tab = Rc::clone(self);
        // The document may be kept for when somebody goes back to it, but holds no lock then.
        let _ = window_event_listener_untyped("pagehide", move |_| tab.leave());
        if document().hidden() {
            self.take(Input::Hidden);
        }
    }

    fn take(self: &Rc<Self>, input: Input) {
        let effects = self.connection.borrow_mut().take(input, clock::monotone(), js_sys::Math::random());
        self.finish(effects);
    }

    fn hear(self: &Rc<Self>, input: share::Input) {
        let effects = self.connection.borrow_mut().hear(input, clock::monotone(), js_sys::Math::random());
        self.finish(effects);
    }

    fn leave(self: &Rc<Self>) {
        let effects = self.connection.borrow_mut().leave(clock::monotone(), js_sys::Math::random());
        self.finish(effects);
    }

    fn share_in(self: &Rc<Self>, scope: Option<String>) {
        let scope = scope.map_or(Scope::Alone, Scope::Tabs);
        let before = self.scope.borrow().clone();
        // Who could not be asked for once is still the one that they were.
        if scope == before || (before != Scope::NotKnown && scope == Scope::Alone) {
            return;
        }
        if before != Scope::NotKnown {
            self.leave();
        }
        self.scope.replace(scope);
        let effects = self.connection.borrow_mut().scoped(clock::monotone(), js_sys::Math::random());
        self.finish(effects);
    }

    fn finish(self: &Rc<Self>, effects: Vec<Effect>) {
        self.publish();
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn publish(&self) {
        let connection = self.connection.borrow();
        let (status, last_heard, heartbeat) =
            (connection.status(), connection.last_heard(), connection.heartbeat());
        drop(connection);
        if self.status.try_get_untracked().is_some_and(|shown| shown != status) {
            self.status.set(status);
        }
        self.pulse.try_set(Pulse { last_heard, heartbeat });
    }

    fn carry_out(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::OpenSource { after } => {
                if self.source.open(&(url(&after) + NAMELESS)).is_err() {
                    // Not from within the effects of a step, the rest of which is still to come.
                    let tab = Rc::clone(self);
                    set_timeout(move || tab.hear(share::Input::SourceFailed), Duration::ZERO);
                }
            }
            Effect::CloseSource => self.source.close(),
            Effect::Poll { after, wait_seconds } => self.start_poll(&after, wait_seconds),
            Effect::CancelPoll => {
                self.poll_number.set(self.poll_number.get() + 1);
                if let Some(poll) = self.poll.take() {
                    poll.abort();
                }
            }
            Effect::Fetch { number, after } => {
                let tab = Rc::clone(self);
                let page = page::fetch(&url(&after), 0, None);
                spawn_local(async move {
                    let (_, polled) = page.await;
                    tab.hear(share::Input::Fetched { number, polled });
                });
            }
            Effect::RequestLock { steal } => self.request_lock(steal),
            Effect::ReleaseLock => {
                self.lock.take();
                self.channel.close();
            }
            Effect::Post(note) => self.channel.post(&note),
            Effect::Schedule { at } => self.set_alarm(at),
            Effect::Deliver(envelope) => {
                let readers = self.feed.borrow_mut().deliver(&envelope);
                readers.iter().for_each(|reader| reader(CatchUp::Events(vec![(*envelope).clone()])));
            }
            Effect::Refetch { behind } => {
                let readers = self.feed.borrow_mut().break_off(behind);
                readers.iter().for_each(|reader| reader(CatchUp::Gap));
                self.rights.try_update(|count| *count += 1);
            }
        }
    }

    fn start_poll(self: &Rc<Self>, after: &str, wait_seconds: u32) {
        let number = self.poll_number.get() + 1;
        self.poll_number.set(number);
        let controller = AbortController::new().ok();
        let page = page::fetch(&url(after), wait_seconds, controller.as_ref());
        self.poll.replace(controller);
        let tab = Rc::clone(self);
        spawn_local(async move {
            let (rights, polled) = page.await;
            if tab.poll_number.get() == number {
                tab.poll.take();
                let (now, random) = (clock::monotone(), js_sys::Math::random());
                let effects = tab.connection.borrow_mut().polled(rights, polled, now, random);
                tab.finish(effects);
            }
        });
    }

    fn request_lock(self: &Rc<Self>, steal: bool) {
        // One that is still waited for goes first: it would stand in front of the new one.
        self.lock.take();
        let tab = Rc::downgrade(self);
        let heard = move |news| {
            if let Some(tab) = tab.upgrade() {
                tab.hear_of_lock(news);
            }
        };
        let lock = match &*self.scope.borrow() {
            Scope::Tabs(name) if self.channel.open(name) => WebLock::request(name, steal, heard.clone()),
            _ => None,
        };
        if lock.is_none() {
            set_timeout(move || heard(LockNews::Refused), Duration::ZERO);
        }
        self.lock.replace(lock);
    }

    fn hear_of_lock(self: &Rc<Self>, news: LockNews) {
        match news {
            LockNews::Granted => self.hear(share::Input::LockGranted),
            LockNews::Lost => self.hear(share::Input::LockLost),
            LockNews::Refused => {
                // Where there are no locks (an insecure context has none) a tab has a stream of its own.
                self.channel.close();
                self.hear(share::Input::LockGranted);
            }
        }
    }

    fn set_alarm(self: &Rc<Self>, at: Millis) {
        if let Some(alarm) = self.alarm.take() {
            alarm.clear();
        }
        let tab = Rc::clone(self);
        let wait = Duration::from_millis(at.saturating_sub(clock::monotone()));
        self.alarm.set(set_timeout_with_handle(move || tab.take(Input::Tick), wait).ok());
    }
}

/// Ids, tokens and numbers need no escape in a query.
fn url(after: &str) -> String {
    of_project(&format!("{EVENTS_URL}&after={after}"))
}

/// The same address for the project that the page is about.
fn of_project(address: &str) -> String {
    let search = window().location().search().unwrap_or_default();
    let project = web_sys::UrlSearchParams::new_with_str(&search).ok().and_then(|query| query.get("project"));
    in_project(address, &project.unwrap_or_default())
}

fn parse<T: DeserializeOwned>(json: &str) -> Option<T> {
    let read = serde_json::from_str(json);
    read.inspect_err(|error| leptos::logging::warn!("a message of the stream cannot be read: {error}")).ok()
}
