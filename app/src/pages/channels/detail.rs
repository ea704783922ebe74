//! One channel.

use leptos::prelude::*;
use tidewatch_events::Channel;
use tidewatch_events::id::ConnectionId;
use tidewatch_events::{Envelope, EventId};

use super::publish::{Publish, Sign};
use crate::components::change_form::ChangeAction;
use crate::components::error_state::encode;
use crate::components::{Json, RelativeTime};
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::Polled;
use crate::model::{ChannelDetail, Channels, Connection};

/// Who listens to a channel, what went out on it, and trying it.
#[component]
pub(super) fn Detail(
    state: RwSignal<Polled<Channels>>,
    name: Channel,
    action: ChangeAction,
) -> impl IntoView {
    let project = use_project();
    let is_private = name.is_private();
    let (may_publish, may_sign) =
        state.with_untracked(|state| (state.data().may_publish, state.data().may_sign));
    let listening = Memo::new(move |_| with_detail(state, |detail| detail.row.listeners));
    let title = name.to_string();
    view! {
        <section class="stack channel-detail" aria-labelledby="channel" data-channel=title.clone()>
            <div class="card">
                <div class="card-head">
                    <h2 id="channel">{title.clone()} {is_private.then(|| view! { <span class="tag">"private"</span> })}</h2>
                    <a class="button button-quiet button-small" href=project.href("/channels")>"Close"</a>
                </div>
                <h3>{move || match listening.get() { 1 => "1 listens".to_owned(), n => format!("{} listen", format::count(n)) }}</h3>
                <Listeners state/>
                <p class="card-foot">
                    <a href=project.href(&format!("/connections?channel={}", encode(&title)))>"All its connections"</a>
                </p>
            </div>
            {may_publish.then(|| view! { <Publish channel=name.clone() action/> })}
            {(may_sign && is_private).then(|| view! { <Sign channel=name.clone() action/> })}
            <div class="card">
                <h3>"Last events"</h3>
                <Events state is_private/>
            </div>
        </section>
    }
}

fn with_detail<T: Default>(state: RwSignal<Polled<Channels>>, of: impl FnOnce(&ChannelDetail) -> T) -> T {
    state.with(|state| state.data().selected.as_ref().map(of).unwrap_or_default())
}

#[component]
fn Listeners(state: RwSignal<Polled<Channels>>) -> impl IntoView {
    let listeners = Memo::new(move |_| with_detail(state, |detail| detail.listeners.clone()));
    let key = |connection: &Connection| -> ConnectionId { connection.id };
    view! {
        <Show when=move || listeners.with(Vec::is_empty)>
            <p class="hint">"Nobody now. Whoever comes appears here."</p>
        </Show>
        <ul class="list" aria-label="Listeners">
            <For each=move || listeners.get() key let:listener>
                <li class="channel" data-id=listener.id.to_string()>
                    <p class="list-title">{listener.actor_name}</p>
                    <p class="list-detail">
                        {listener.address.unwrap_or_default()} " · " {listener.instance} " · since " <RelativeTime at=listener.connected_at/>
                    </p>
                </li>
            </For>
        </ul>
    }
}

#[component]
fn Events(state: RwSignal<Polled<Channels>>, is_private: bool) -> impl IntoView {
    let events = Memo::new(move |_| with_detail(state, |detail| detail.events.clone()));
    let key = |event: &Envelope| -> EventId { event.event_id };
    let nothing = if is_private {
        "What goes out on a private channel is seen by holders of a token alone."
    } else {
        "None among the project's newest 10,000 events."
    };
    view! {
        <Show when=move || events.with(Vec::is_empty)>
            <p class="hint">{nothing}</p>
        </Show>
        <ol class="list" aria-label="Last events, newest first">
            <For each=move || events.get() key let:event>
                <li class="channel" data-id=event.event_id.to_string() data-type=event.event_type.to_string()>
                    <details>
                        <summary class="event-summary">
                            <span class="list-title">{event.event_type.to_string()}</span>
                            <span class="list-detail"><RelativeTime at=event.occurred_at in_row=true/> " · #" {event.position.get()}</span>
                        </summary>
                        <Json value=event.payload/>
                    </details>
                </li>
            </For>
        </ol>
    }
}
