//! An id that goes to the clipboard.

use leptos::html;
use leptos::prelude::*;

use super::clipboard::select;
use super::copying::{CopyIcon, copy};
use crate::format;

/// An id, shortened, with a button that copies the whole of it.
#[component]
pub fn CopyableId(
    /// The id.
    #[prop(into)]
    id: String,
    /// Whether to show all of it.
    #[prop(optional)]
    whole: bool,
) -> impl IntoView {
    let state = RwSignal::new(None);
    let code = NodeRef::<html::Code>::new();
    let is_whole = RwSignal::new(whole);
    let (short, all) = (format::short_id(&id), id.clone());
    let shown = move || if is_whole.get() { all.clone() } else { short.clone() };
    let label = format!("Copy {id}");
    let text = id.clone();
    // What cannot be copied for them is there whole, for them to copy.
    let select_it = move || {
        is_whole.try_set(true);
        if let Some(code) = code.get_untracked() {
            select(&code);
        }
    };
    let on_click = move |_| copy(text.clone(), state, select_it);
    view! {
        <span class="copyable">
            <code title=id node_ref=code>{shown}</code>
            <button type="button" class="icon-button needs-scripting" aria-label=label on:click=on_click>
                <CopyIcon state/>
            </button>
        </span>
    }
}
