//! The browser's side of the stream: EventSource, fetch, timers, visibility, network.
//!
//! It decides nothing. What happens becomes an [`Input`] of the machine, and the machine's
//! [`Effect`]s are carried out.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use gloo_net::http::{Request, Response};
use leptos::prelude::*;
use leptos::task::spawn_local;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tidewatch_events::stream::{CONNECTED, Connected, HEARTBEAT, Heartbeat, SYSTEM_MESSAGE};
use tidewatch_events::{Envelope, Position, catalog};
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use web_sys::{AbortController, EventSource, MessageEvent};

use super::client::{Anchor, Callback, Pulse};
use super::feed::{CatchUp, Feed, SubscriberId};
use super::machine::{Effect, Input, Machine, Millis, Polled, Status};
use crate::contexts::clock;
use crate::contexts::project::in_project;

const EVENTS_URL: &str = "/api/v1/events?types=settlement.*";
/// Most events of one polled page.
const POLL_LIMIT: u32 = 500;

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

    pub(super) fn resume(self, id: SubscriberId, from: Position) -> CatchUp {
        self.0.get_value().feed.borrow_mut().resume(id, from)
    }

    pub(super) fn unsubscribe(self, id: SubscriberId) {
        if let Some(tab) = self.0.try_get_value() {
            tab.feed.borrow_mut().unsubscribe(id);
        }
    }
}

/// Listeners that live as long as the tab: a source that is closed takes none along, so that none
/// is dropped while it runs.
struct Listeners {
    message: Closure<dyn Fn(MessageEvent)>,
    error: Closure<dyn Fn()>,
}

struct Tab {
    status: RwSignal<Status>,
    pulse: RwSignal<Pulse>,
    rights: RwSignal<u32>,
    machine: RefCell<Machine>,
    feed: RefCell<Feed<Callback>>,
    listeners: Listeners,
    source: RefCell<Option<EventSource>>,
    poll: RefCell<Option<AbortController>>,
    /// Counts polls: the answer to one that was given up is not heard.
    poll_number: Cell<u64>,
    alarm: Cell<Option<TimeoutHandle>>,
}

impl Tab {
    fn new(status: RwSignal<Status>, pulse: RwSignal<Pulse>, rights: RwSignal<u32>) -> Rc<Self> {
        let tab = Rc::new_cyclic(|tab: &std::rc::Weak<Self>| {
            let (on_message, on_error) = (tab.clone(), tab.clone());
            let message = Closure::<dyn Fn(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(tab) = on_message.upgrade() {
                    read_message(&event).into_iter().for_each(|input| tab.take(input));
                }
            });
            let error = Closure::<dyn Fn()>::new(move || {
                if let Some(tab) = on_error.upgrade() {
                    tab.take(Input::Failed);
                }
            });
            Self {
                status,
                pulse,
                rights,
                machine: RefCell::default(),
                feed: RefCell::default(),
                listeners: Listeners { message, error },
                source: RefCell::default(),
                poll: RefCell::default(),
                poll_number: Cell::default(),
                alarm: Cell::default(),
            }
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
        if document().hidden() {
            self.take(Input::Hidden);
        }
    }

    fn take(self: &Rc<Self>, input: Input) {
        let effects = self.machine.borrow_mut().step(input, clock::monotone(), js_sys::Math::random());
        self.publish();
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn publish(&self) {
        let machine = self.machine.borrow();
        let (status, last_heard, heartbeat) = (machine.status(), machine.last_heard(), machine.heartbeat());
        drop(machine);
        if self.status.try_get_untracked().is_some_and(|shown| shown != status) {
            self.status.set(status);
        }
        self.pulse.try_set(Pulse { last_heard, heartbeat });
    }

    fn carry_out(self: &Rc<Self>, effect: Effect) {
        match effect {
            Effect::OpenStream { after } => self.open_stream(&after),
            Effect::CloseStream => {
                if let Some(source) = self.source.take() {
                    source.close();
                }
            }
            Effect::Poll { after, wait_seconds } => self.start_poll(&after, wait_seconds),
            Effect::CancelPoll => {
                self.poll_number.set(self.poll_number.get() + 1);
                if let Some(poll) = self.poll.take() {
                    poll.abort();
                }
            }
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

    fn open_stream(self: &Rc<Self>, after: &str) {
        let Ok(source) = EventSource::new(&url(after)) else {
            // Not from within an effect of the machine: it has not finished its step.
            let tab = Rc::clone(self);
            set_timeout(move || tab.take(Input::Failed), Duration::ZERO);
            return;
        };
        source.set_onerror(Some(self.listeners.error.as_ref().unchecked_ref()));
        let named = catalog::entries().map(|entry| entry.event_type.as_str());
        for name in named.chain([CONNECTED, HEARTBEAT, SYSTEM_MESSAGE]) {
            // Fails for no name that the catalog can hold.
            let _ = source
                .add_event_listener_with_callback(name, self.listeners.message.as_ref().unchecked_ref());
        }
        self.source.replace(Some(source));
    }

    fn start_poll(self: &Rc<Self>, after: &str, wait_seconds: u32) {
        let number = self.poll_number.get() + 1;
        self.poll_number.set(number);
        let controller = AbortController::new().ok();
        let signal = controller.as_ref().map(AbortController::signal);
        self.poll.replace(controller);
        let request = Request::get(&format!("{}&limit={POLL_LIMIT}&wait={wait_seconds}", url(after)))
            .header("Accept", "application/json")
            .abort_signal(signal.as_ref());
        let tab = Rc::clone(self);
        spawn_local(async move {
            let (rights, polled) = match request.send().await {
                Ok(response) => read_page(response).await,
                Err(_) => (None, Polled::Failed { retry_after: None }),
            };
            if tab.poll_number.get() == number {
                tab.poll.take();
                if let Some(rights) = rights {
                    tab.take(Input::Rights(rights));
                }
                tab.take(Input::Polled(polled));
            }
        });
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
    let search = window().location().search().unwrap_or_default();
    let project = web_sys::UrlSearchParams::new_with_str(&search).ok().and_then(|query| query.get("project"));
    in_project(&format!("{EVENTS_URL}&after={after}"), &project.unwrap_or_default())
}

fn read_message(event: &MessageEvent) -> Vec<Input> {
    let Some(data) = event.data().as_string() else { return Vec::new() };
    if event.type_() == CONNECTED {
        return parse(&data).map(read_connected).unwrap_or_default();
    }
    read_other(event, &data).into_iter().collect()
}

fn read_connected(connected: Connected) -> Vec<Input> {
    let rights = Input::Rights(connected.rights);
    let connected = Input::Connected {
        position: connected.position,
        heartbeat: (connected.heartbeat_seconds * 1_000.0) as Millis,
        recovered: connected.recovered,
    };
    vec![rights, connected]
}

fn read_other(event: &MessageEvent, data: &str) -> Option<Input> {
    let id = event.last_event_id();
    match event.type_().as_str() {
        HEARTBEAT => {
            parse::<Heartbeat>(data).map(|heartbeat| Input::Heartbeat { id, position: heartbeat.position })
        }
        SYSTEM_MESSAGE => parse(data).map(Input::System),
        _ => parse(data).map(|envelope| Input::Event { id, envelope: Box::new(envelope) }),
    }
}

fn parse<T: DeserializeOwned>(json: &str) -> Option<T> {
    let read = serde_json::from_str(json);
    read.inspect_err(|error| leptos::logging::warn!("a message of the stream cannot be read: {error}")).ok()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    events: Vec<Envelope>,
    position: Position,
    has_more: bool,
    #[serde(default)]
    rights: String,
}

/// What stands for the rights of one who may read no events at all.
const NO_RIGHTS: &str = "none";

async fn read_page(response: Response) -> (Option<String>, Polled) {
    let retry_after =
        || response.headers().get("Retry-After")?.parse::<Millis>().ok().map(|seconds| seconds * 1_000);
    match response.status() {
        200 => match response.json::<Page>().await {
            Ok(Page { events, position, has_more, rights }) => {
                (Some(rights), Polled::Page { events, position, has_more })
            }
            Err(_) => (None, Polled::Failed { retry_after: None }),
        },
        401 => (None, Polled::Unauthorized),
        403 => (Some(NO_RIGHTS.to_owned()), Polled::Failed { retry_after: retry_after() }),
        410 => (None, Polled::Gap),
        _ => (None, Polled::Failed { retry_after: retry_after() }),
    }
}
