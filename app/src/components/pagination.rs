//! To older rows and back to the newest.

use leptos::prelude::*;

/// Links between pages of a list that is ordered newest first.
#[component]
pub fn Pagination(
    /// The first page, when this is not it.
    newest: Option<String>,
    /// The following page, when there is one.
    #[prop(into)]
    older: Signal<Option<String>>,
) -> impl IntoView {
    view! {
        <nav class="pagination" aria-label="Pages">
            {newest.map(|href| view! { <a class="button" href=href rel="first">"Back to newest"</a> })}
            {move || older.get().map(|href| view! { <a class="button" href=href rel="next">"Older"</a> })}
        </nav>
    }
}
