//! Has the whole page stand still, for who reads it: <https://www.w3.org/WAI/WCAG22/Understanding/pause-stop-hide.html>.

use leptos::prelude::*;

use super::{Icon, IconName};
use crate::contexts::announcer::use_announcer;
use crate::live::use_live_client;

/// Holds all that changes by itself on the page (lists, numbers, tables, charts) and lets it go on, with what came
/// meanwhile. The stream stays open.
#[component]
pub fn PauseButton() -> impl IntoView {
    let client = use_live_client();
    let announcer = use_announcer();
    let held = client.held();
    let is_held = move || held.get().is_some();
    let press = move |_| {
        let hold = held.get_untracked().is_none();
        client.hold(hold);
        announcer.say(if hold { "The page stands still" } else { "The page goes on" });
    };
    view! {
        <button
            type="button"
            class="button button-small pause-button needs-scripting"
            title="Lists, numbers and charts stay as they are until you let them go on"
            data-held=move || is_held().to_string()
            on:click=press
        >
            {move || if is_held() { view! { <Icon name=IconName::Play/> } } else { view! { <Icon name=IconName::Pause/> } }}
            <span class="pause-word">{move || if is_held() { "Go on" } else { "Pause" }}</span>
        </button>
    }
}
