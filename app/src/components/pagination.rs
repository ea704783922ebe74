//! To older rows and back to the newest.

use leptos::prelude::*;

/// Links between pages of a list that is ordered newest first, where nothing else is said.
#[component]
pub fn Pagination(
    /// The first page, when this is not it.
    newest: Option<String>,
    /// The following page, when there is one.
    #[prop(into)]
    older: Signal<Option<String>>,
    /// What the link to the first page says.
    #[prop(default = "Back to newest")]
    first: &'static str,
    /// What the link to the following page says.
    #[prop(default = "Older")]
    further: &'static str,
) -> impl IntoView {
    view! {
        <nav class="pagination" aria-label="Pages">
            {newest.map(|href| view! { <a class="button" href=href rel="first">{first}</a> })}
            {move || older.get().map(|href| view! { <a class="button" href=href rel="next">{further}</a> })}
        </nav>
    }
}
