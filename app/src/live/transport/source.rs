//! The EventSource of a tab that has the stream.

use std::cell::RefCell;
use std::rc::Rc;

use tidewatch_events::stream::{CONNECTED, Connected, HEARTBEAT, Heartbeat, SYSTEM_MESSAGE};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{EventSource, MessageEvent};

use super::parse;
use super::receipts::Receipts;
use crate::live::heard::Heard;
use crate::live::machine::Millis;

/// What an `EventSource` calls what came without a name
/// ([HTML, 9.2.6](https://html.spec.whatwg.org/multipage/server-sent-events.html#dispatchMessage)).
const MESSAGE: &str = "message";

/// At most one EventSource, and the listeners of all that there will be: they live as long as the
/// tab, so that none is dropped while it runs.
pub(super) struct Source {
    on_message: Closure<dyn Fn(MessageEvent)>,
    on_error: Closure<dyn Fn()>,
    current: RefCell<Option<EventSource>>,
}

impl Source {
    pub(super) fn new(heard: Box<dyn Fn(Vec<Heard>)>, failed: Box<dyn Fn(())>) -> Self {
        let receipts = Rc::<Receipts>::default();
        let on_message = Closure::new(move |event: MessageEvent| {
            let message = read_message(&event, &receipts);
            if !message.is_empty() {
                heard(message);
            }
        });
        Self { on_message, on_error: Closure::new(move || failed(())), current: RefCell::default() }
    }

    pub(super) fn open(&self, url: &str) -> Result<(), JsValue> {
        let source = EventSource::new(url)?;
        source.set_onerror(Some(self.on_error.as_ref().unchecked_ref()));
        // Events come without names, as messages: this program knows neither the modules of every installation nor what
        // others publish.
        for name in [MESSAGE, CONNECTED, HEARTBEAT, SYSTEM_MESSAGE] {
            // Fails for no name.
            let _ = source.add_event_listener_with_callback(name, self.on_message.as_ref().unchecked_ref());
        }
        self.current.replace(Some(source));
        Ok(())
    }

    pub(super) fn close(&self) {
        if let Some(source) = self.current.take() {
            source.close();
        }
    }
}

fn read_message(event: &MessageEvent, receipts: &Rc<Receipts>) -> Vec<Heard> {
    let Some(data) = event.data().as_string() else { return Vec::new() };
    let id = event.last_event_id();
    let heard = match event.type_().as_str() {
        CONNECTED => {
            let connected = parse(&data).inspect(|connected| receipts.connected(connected));
            return connected.map(|connected| read_connected(id, connected)).unwrap_or_default();
        }
        HEARTBEAT => {
            parse::<Heartbeat>(&data).map(|heartbeat| Heard::Heartbeat { id, position: heartbeat.position })
        }
        SYSTEM_MESSAGE => parse(&data).map(Heard::System),
        _ => parse(&data)
            .inspect(|envelope| receipts.had(envelope))
            .map(|envelope| Heard::Event { id, envelope: Box::new(envelope) }),
    };
    heard.into_iter().collect()
}

fn read_connected(id: String, connected: Connected) -> Vec<Heard> {
    let rights = Heard::Rights(connected.rights);
    let connected = Heard::Connected {
        id,
        position: connected.position,
        heartbeat: (connected.heartbeat_seconds * 1_000.0) as Millis,
        recovered: connected.recovered,
    };
    vec![rights, connected]
}
