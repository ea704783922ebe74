//! Whether the page is hydrated as a whole.
//!
//! That is when its part has been loaded ([`crate::pages::lazy`]), and effects of [`crate::App`] run before. Whatever makes
//! a render differ from the server's waits until then: the browser takes what it finds, and would keep it.

use std::cell::Cell;

use leptos::prelude::*;

thread_local! {
    /// For whoever hydrates, who stands outside of the UI.
    static HYDRATED: Cell<Option<RwSignal<bool>>> = const { Cell::new(None) };
}

#[derive(Clone, Copy)]
struct Hydration(RwSignal<bool>);

/// Lets everything in the UI know when it is hydrated.
pub fn provide_hydration() {
    let hydrated = RwSignal::new(false);
    provide_context(Hydration(hydrated));
    if cfg!(target_arch = "wasm32") {
        HYDRATED.set(Some(hydrated));
    }
}

/// Whether all of the page reacts. On the server it never does.
///
/// # Panics
/// Outside of [`crate::App`].
#[must_use]
pub fn use_hydrated() -> Signal<bool> {
    expect_context::<Hydration>().0.into()
}

/// Says that the whole page is hydrated: to what is in it, and to tests and styles (`html[data-hydrated]`).
pub fn complete_hydration() {
    if let Some(hydrated) = HYDRATED.get() {
        hydrated.set(true);
    }
    if let Some(html) = document().document_element() {
        let _ = html.set_attribute("data-hydrated", "true");
    }
}

/// Says that the page stays as the server rendered it, because its part did not come (`html[data-part-missing]`).
pub fn tell_of_missing_part() {
    if let Some(html) = document().document_element() {
        let _ = html.set_attribute("data-part-missing", "true");
    }
}
