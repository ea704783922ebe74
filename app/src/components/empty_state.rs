//! Nothing there, and what to do about it.

use leptos::prelude::*;

/// Says that there is nothing, and what would change that.
#[component]
pub fn EmptyState(
    /// What is not there.
    #[prop(into)]
    title: String,
    /// What to do.
    children: Children,
) -> impl IntoView {
    view! {
        <div class="empty">
            <svg class="empty-art" viewBox="0 0 64 24" width="64" height="24" aria-hidden="true" focusable="false">
                <path d="M2 12q7.5-8 15 0t15 0 15 0 15 0"></path>
                <path d="M2 20q7.5-8 15 0t15 0 15 0 15 0"></path>
            </svg>
            <p class="empty-title">{title}</p>
            <div class="empty-help">{children()}</div>
        </div>
    }
}
