//! The dashboard in the browser: panic hook and hydration, nothing else.

// Built for production, a page is one type of all that is in it.
#![recursion_limit = "512"]

use leptos::mount::hydrate_from_async;
use leptos::prelude::document;
use leptos::task::tick;
use tidewatch_app::contexts::hydration::{complete_hydration, tell_of_missing_part};
use tidewatch_app::pages::lazy::load_part_of_document;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen_futures::spawn_local;

/// Called by the script that the server puts into every page.
#[wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    // Leptos' own has no executor before it hydrates.
    spawn_local(async {
        let Some(body) = document().body() else { return };
        // First of all: once the router is there it takes every link, and without the part it could lead nowhere. As the
        // server rendered it, the page leads and posts by itself.
        if load_part_of_document().await.is_err() {
            tell_of_missing_part();
            return;
        }
        hydrate_from_async(body, tidewatch_app::App).await.forget();
        // Once more for the effects of what came last.
        tick().await;
        complete_hydration();
    });
}
