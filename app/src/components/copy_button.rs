//! A text that goes to the clipboard.

use leptos::html;
use leptos::prelude::*;

use super::clipboard::select;
use super::copying::{CopyIcon, copy};

/// A button that copies a text.
#[component]
pub fn CopyButton(
    /// What is copied.
    #[prop(into)]
    text: Signal<String>,
    /// What the button says.
    #[prop(into)]
    label: String,
    /// Where the text stands: it is selected where the browser does not let the page copy.
    shown: NodeRef<html::Pre>,
) -> impl IntoView {
    let state = RwSignal::new(None);
    let select_it = move || {
        if let Some(element) = shown.get_untracked() {
            select(&element);
        }
    };
    let on_click = move |_| copy(text.get_untracked(), state, select_it);
    view! {
        <button type="button" class="button button-small needs-scripting" on:click=on_click>
            <CopyIcon state/>
            {label}
        </button>
    }
}
