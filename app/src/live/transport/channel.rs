//! The BroadcastChannel to the other tabs.

use std::cell::RefCell;

use wasm_bindgen::JsCast;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use web_sys::{BroadcastChannel, MessageEvent};

use super::parse;
use crate::live::share::Note;

/// At most one channel, and the listener of all that there will be.
pub(super) struct Channel {
    on_message: Closure<dyn Fn(MessageEvent)>,
    current: RefCell<Option<BroadcastChannel>>,
}

impl Channel {
    pub(super) fn new(heard: Box<dyn Fn(Note)>) -> Self {
        let on_message = Closure::new(move |event: MessageEvent| {
            if let Some(note) = event.data().as_string().and_then(|text| parse(&text)) {
                heard(note);
            }
        });
        Self { on_message, current: RefCell::default() }
    }

    /// Listens to the channel of this name; whether the browser lets it.
    pub(super) fn open(&self, name: &str) -> bool {
        if self.current.borrow().is_none() {
            let channel = BroadcastChannel::new(name).ok();
            if let Some(channel) = &channel {
                channel.set_onmessage(Some(self.on_message.as_ref().unchecked_ref()));
            }
            self.current.replace(channel);
        }
        self.current.borrow().is_some()
    }

    pub(super) fn post(&self, note: &Note) {
        if let (Some(channel), Ok(text)) = (&*self.current.borrow(), serde_json::to_string(note)) {
            // Fails for a channel that is closed alone, and this one is not.
            let _ = channel.post_message(&JsValue::from_str(&text));
        }
    }

    pub(super) fn close(&self) {
        if let Some(channel) = self.current.take() {
            channel.set_onmessage(None);
            channel.close();
        }
    }
}
