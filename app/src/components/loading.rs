//! Something is on its way.

use leptos::prelude::*;

/// Says what is being loaded. Seen on the first visit of a page alone: later its old content stays.
#[component]
pub fn Loading(
    /// What, such as `settlements`.
    #[prop(into)]
    what: String,
) -> impl IntoView {
    view! {
        <div class="loading" aria-busy="true">
            <span class="loading-bar"></span>
            <p>{format!("Loading {what}…")}</p>
        </div>
    }
}
