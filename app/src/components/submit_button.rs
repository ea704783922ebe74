//! The button of a form that is answered without leaving the page.

use leptos::prelude::*;

/// A button that sends its form, and nothing again while the answer is awaited. It is not disabled meanwhile: a browser
/// takes the focus from a disabled button, and who works by keyboard would begin at the top of the page again.
#[component]
pub fn SubmitButton(
    /// Whether the answer is awaited.
    #[prop(into)]
    pending: Signal<bool>,
    /// Its look.
    class: &'static str,
    /// What it says.
    children: Children,
) -> impl IntoView {
    view! {
        <button
            class=class
            aria-disabled=move || pending.get().then_some("true")
            on:click=move |event| {
                if pending.get_untracked() {
                    event.prevent_default();
                }
            }
        >
            {children()}
        </button>
    }
}
