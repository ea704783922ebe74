//! The list of channels.

use leptos::prelude::*;
use tidewatch_events::Channel;

use crate::components::error_state::encode;
use crate::components::text_filter::{has_words, use_words};
use crate::components::{EmptyState, RelativeTime, TextFilter};
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::Polled;
use crate::model::{ChannelRow, Channels};

/// Opens a channel by its name, whether anything goes on there or not.
#[component]
pub(super) fn OpenForm() -> impl IntoView {
    let project = use_project();
    view! {
        <form method="get" action="/channels" class="form form-inline panel">
            {(!project.slug().is_empty()).then(|| view! { <input type="hidden" name="project" value=project.slug()/> })}
            <label class="field field-wide">
                <span>"Channel"</span>
                <input type="text" name="channel" placeholder="orders, or private-…" required=true maxlength="200" autocomplete="off"/>
            </label>
            <button class="button">"Open"</button>
        </form>
    }
}

/// Those with most listeners first.
#[component]
pub(super) fn ChannelList(state: RwSignal<Polled<Channels>>, selected: Option<Channel>) -> impl IntoView {
    let words = use_words();
    let names = Memo::new(move |_| {
        let all =
            state.with(|state| state.data().channels.iter().map(|row| row.name.clone()).collect::<Vec<_>>());
        let words = words.read();
        all.into_iter().filter(|name| has_words(&words, [&*name.to_string()])).collect::<Vec<_>>()
    });
    let selected = StoredValue::new(selected);
    view! {
        <section class="card" aria-labelledby="channels">
            <h2 id="channels">"In use"</h2>
            <TextFilter path="/channels" placeholder="A part of a name"/>
            <Show when=move || names.with(Vec::is_empty) && !words.read().is_empty()>
                <EmptyState title="No channel in use is called that"><p>"Open one by its whole name above, whether anything goes on there or not."</p></EmptyState>
            </Show>
            <Show when=move || names.with(Vec::is_empty) && words.read().is_empty()>
                <EmptyState title="No channel is in use">
                    <p>"A channel is there as soon as somebody listens to it or publishes on it. Open one by its name above, and try."</p>
                </EmptyState>
            </Show>
            <ul class="list" data-count=move || names.with(Vec::len).to_string()>
                <For each=move || names.get() key=Clone::clone let:name>
                    <ChannelItem state is_selected=selected.with_value(|selected| selected.as_ref() == Some(&name)) name/>
                </For>
            </ul>
        </section>
    }
}

#[component]
fn ChannelItem(state: RwSignal<Polled<Channels>>, name: Channel, is_selected: bool) -> impl IntoView {
    let project = use_project();
    let href = project.href(&format!("/channels?channel={}", encode(&name.to_string())));
    let is_private = name.is_private();
    let (shown, label) = (name.to_string(), name.to_string());
    let row = Memo::new(move |before: Option<&Option<ChannelRow>>| {
        let now = state.with(|state| state.data().channels.iter().find(|row| row.name == name).cloned());
        now.or_else(|| before.cloned().flatten())
    });
    let number = move |of: fn(&ChannelRow) -> u64| row.with(|row| format::count(row.as_ref().map_or(0, of)));
    view! {
        <li class="channel" data-channel=label>
            <p class="list-title">
                <a href=href aria-current=is_selected.then_some("true")>{shown}</a>
                {is_private.then(|| view! { <span class="tag">"private"</span> })}
            </p>
            <p class="list-detail">
                <span class="tabular">{move || number(|row| row.listeners)}</span> " listening · "
                <span class="tabular">{move || number(|row| row.per_minute)}</span> " in the last minute"
                {move || row.with(|row| row.as_ref().and_then(|row| row.last_event_at)).map(|at| view! { " · last " <RelativeTime at/> })}
            </p>
        </li>
    }
}
