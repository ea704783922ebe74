//! The keys, and a switch for those without a modifier.

use leptos::prelude::*;
use leptos::{ev, html};

use super::commands::shortcuts_of;
use super::{OFF_KEY, is_off};
use crate::model::CurrentUser;

/// The list of keys, of those that lead to pages the ones that somebody may see.
#[component]
pub(super) fn Help(dialog: NodeRef<html::Dialog>, user: RwSignal<Option<CurrentUser>>) -> impl IntoView {
    let off = RwSignal::new(false);
    Effect::new(move |_| off.set(is_off()));
    let switch = move |event: ev::Event| {
        let on = event_target_checked(&event);
        off.set(!on);
        if let Ok(Some(storage)) = window().local_storage() {
            let _ = if on { storage.remove_item(OFF_KEY) } else { storage.set_item(OFF_KEY, "1") };
        }
    };
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let places = move || user.with(|user| user.as_ref().map(shortcuts_of).unwrap_or_default());
    view! {
        <dialog class="palette help" node_ref=dialog aria-labelledby="shortcuts">
            <h2 id="shortcuts">"Keyboard shortcuts"</h2>
            <dl>
                <div><dt><kbd>"Ctrl"</kbd>" "<kbd>"K"</kbd></dt><dd>"Go to a page, a record or a search"</dd></div>
                <div><dt><kbd>"/"</kbd></dt><dd>"Search this list"</dd></div>
                <div><dt><kbd>"u"</kbd></dt><dd>"Undo, while a message offers it"</dd></div>
                <div><dt><kbd>"?"</kbd></dt><dd>"This list"</dd></div>
            </dl>
            <dl class="help-places">
                {move || places().into_iter().map(|(key, _, name)| view! {
                    <div><dt><kbd>"g"</kbd>" "<kbd>{key}</kbd></dt><dd>{name}</dd></div>
                }).collect_view()}
            </dl>
            <label class="check">
                <input type="checkbox" prop:checked=move || !off.get() on:change=switch/>
                <span>"Keys without Ctrl do something"</span>
            </label>
            <button type="button" class="button" on:click=close>"Close"</button>
        </dialog>
    }
}
