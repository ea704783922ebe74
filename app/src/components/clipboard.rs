//! The clipboard, as far as the browser has one.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

/// Copies a text; whether that went well.
///
/// On a host without TLS, other than localhost, browsers have no `navigator.clipboard`: there the text is copied from
/// an input of its own, as pages did before.
pub async fn copy(text: &str) -> bool {
    let navigator = window().navigator();
    let clipboard = js_sys::Reflect::get(&navigator, &JsValue::from_str("clipboard"));
    if clipboard.is_ok_and(|clipboard| !clipboard.is_undefined())
        && JsFuture::from(navigator.clipboard().write_text(text)).await.is_ok()
    {
        return true;
    }
    copy_from_input(text).unwrap_or(false)
}

/// Selects the text in an input that nobody sees, and has the browser copy what is selected.
fn copy_from_input(text: &str) -> Option<bool> {
    let document = document();
    let focused =
        document.active_element().and_then(|element| element.dyn_into::<web_sys::HtmlElement>().ok());
    // An open dialog takes the focus back from whatever is outside of it.
    let dialog = document.query_selector("dialog[open]").ok().flatten();
    let parent: web_sys::Node = match dialog {
        Some(dialog) => dialog.into(),
        None => document.body()?.into(),
    };
    let input: web_sys::HtmlTextAreaElement = document.create_element("textarea").ok()?.dyn_into().ok()?;
    input.set_value(text);
    input.set_class_name("visually-hidden");
    input.set_attribute("aria-hidden", "true").ok()?;
    parent.append_child(&input).ok()?;
    input.select();
    let command = js_sys::Reflect::get(&document, &JsValue::from_str("execCommand")).ok();
    let command = command.and_then(|command| command.dyn_into::<js_sys::Function>().ok());
    let copied = command.and_then(|command| command.call1(&document, &JsValue::from_str("copy")).ok());
    input.remove();
    if let Some(focused) = focused {
        let _ = focused.focus();
    }
    copied?.as_bool()
}

/// Selects what an element says, so that the keyboard copies it.
pub fn select(element: &web_sys::Node) {
    if let Ok(Some(selection)) = window().get_selection() {
        let _ = selection.select_all_children(element);
    }
}
