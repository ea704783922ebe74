//! What just happened.

use leptos::prelude::*;
use tidewatch_events::Envelope;

use crate::components::{EmptyState, Icon, IconName, Timeline};
use crate::live::reduce::OverviewState;

/// The last events. Moving content can be paused.
#[component]
pub fn LiveFeed(state: RwSignal<OverviewState>) -> impl IntoView {
    let is_paused = RwSignal::new(false);
    let events = Memo::new(move |before: Option<&Vec<Envelope>>| match before {
        Some(before) if is_paused.get() => before.clone(),
        _ => state.with(|state| state.overview().recent.clone()),
    });
    let is_empty = Memo::new(move |_| events.read().is_empty());
    let icon = move || if is_paused.get() { IconName::Play } else { IconName::Pause };
    view! {
        <section class="card feed" aria-labelledby="feed" data-paused=move || is_paused.get().to_string()>
            <div class="card-head">
                <h2 id="feed">"Live feed"</h2>
                <button
                    type="button"
                    class="button button-small button-quiet needs-scripting"
                    aria-pressed=move || is_paused.get().to_string()
                    on:click=move |_| is_paused.update(|paused| *paused = !*paused)
                >
                    {move || view! { <Icon name=icon()/> }}
                    {move || if is_paused.get() { "Go on" } else { "Pause" }}
                </button>
            </div>
            <Show when=move || is_empty.get()>
                <EmptyState title="No events yet">
                    <p>"Every change appears here the moment it is committed. Run the simulator to see some."</p>
                </EmptyState>
            </Show>
            <Timeline events with_subject=true label="Last events, newest first"/>
        </section>
    }
}
