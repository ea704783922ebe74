//! An id that goes to the clipboard.

use std::time::Duration;

use leptos::prelude::*;

use super::{Icon, IconName};
use crate::contexts::announcer::use_announcer;
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
    let copied = RwSignal::new(false);
    let announcer = use_announcer();
    let shown = if whole { id.clone() } else { format::short_id(&id) };
    let label = format!("Copy {id}");
    let text = id.clone();
    let copy = move |_| {
        // The promise is not awaited: where the clipboard is denied there is nothing to do about it.
        let _ = window().navigator().clipboard().write_text(&text);
        copied.set(true);
        announcer.say("Copied");
        set_timeout(
            move || {
                copied.try_set(false);
            },
            Duration::from_secs(2),
        );
    };
    view! {
        <span class="copyable">
            <code title=id>{shown}</code>
            <button type="button" class="icon-button needs-scripting" aria-label=label on:click=copy>
                {move || if copied.get() { view! { <Icon name=IconName::Check/> } } else { view! { <Icon name=IconName::Copy/> } }}
            </button>
        </span>
    }
}
