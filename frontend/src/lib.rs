//! The dashboard in the browser: panic hook and hydration, nothing else.

// Built for production, a page is one type of all that is in it.
#![recursion_limit = "512"]

use wasm_bindgen::prelude::wasm_bindgen;

/// Called by the script that the server puts into every page.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    leptos::mount::hydrate_body(tidewatch_app::App);
}
