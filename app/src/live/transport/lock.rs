//! A [Web Lock](https://www.w3.org/TR/web-locks/): one tab of a browser has it, the others stand in
//! line, and the browser hands it on when a tab is gone, however it went.
//!
//! Reached by name: web-sys has this part of the platform behind a compiler flag.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortController;

/// What becomes of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LockNews {
    /// It is this tab's.
    Granted,
    /// Another tab took it.
    Lost,
    /// There are no locks here.
    Refused,
}

/// A lock that is asked for or held. Dropped, it is given up, and nothing more is heard of it.
pub(super) struct WebLock(Rc<State>);

struct State {
    /// Gives up waiting.
    controller: Option<AbortController>,
    /// Ends the promise that holds the lock.
    release: RefCell<Option<Function>>,
    given_up: Cell<bool>,
}

impl WebLock {
    /// Asks for the lock of this name, or takes it from whoever has it; `None` where there are none.
    pub(super) fn request(
        name: &str,
        steal: bool,
        heard: impl Fn(LockNews) + Clone + 'static,
    ) -> Option<Self> {
        let locks = Reflect::get(&window().navigator(), &"locks".into()).ok()?;
        let request: Function = Reflect::get(&locks, &"request".into()).ok()?.dyn_into().ok()?;
        let options = Object::new();
        // A lock that is taken is never waited for, and the two options exclude each other.
        let controller = if steal {
            Reflect::set(&options, &"steal".into(), &JsValue::TRUE).ok()?;
            None
        } else {
            let controller = AbortController::new().ok()?;
            Reflect::set(&options, &"signal".into(), &controller.signal()).ok()?;
            Some(controller)
        };
        let state = Rc::new(State { controller, release: RefCell::default(), given_up: Cell::new(false) });
        let on_granted = {
            let (state, heard) = (Rc::clone(&state), heard.clone());
            Closure::once_into_js(move || hold(&state, &heard))
        };
        let promise = request.call3(&locks, &name.into(), &options, &on_granted).ok()?;
        let on_end = {
            let state = Rc::clone(&state);
            Closure::once_into_js(move || match state.release.take() {
                _ if state.given_up.get() => {}
                Some(_) => heard(LockNews::Lost),
                None => heard(LockNews::Refused),
            })
        };
        // It ends well when it is let go of, and badly otherwise: `given_up` tells the two apart.
        let then: Function = Reflect::get(&promise, &"then".into()).ok()?.dyn_into().ok()?;
        then.call2(&promise, &on_end, &on_end).ok()?;
        Some(Self(state))
    }
}

/// The promise that holds the lock as long as it is not resolved.
fn hold(state: &State, heard: &impl Fn(LockNews)) -> JsValue {
    if state.given_up.get() {
        return JsValue::UNDEFINED;
    }
    let held = Promise::new(&mut |resolve, _| {
        state.release.replace(Some(resolve));
    });
    heard(LockNews::Granted);
    held.into()
}

impl Drop for WebLock {
    fn drop(&mut self) {
        self.0.given_up.set(true);
        if let Some(controller) = &self.0.controller {
            controller.abort();
        }
        if let Some(release) = self.0.release.take() {
            // Whoever waits for the promise is the browser; this cannot throw.
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
}
