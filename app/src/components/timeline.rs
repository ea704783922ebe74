//! Events, newest first.

mod describe;

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::{Envelope, EventId};
use tidewatch_modules::Module;

use super::status_badge::icon_of;
use super::{Icon, RelativeTime};
use crate::contexts::names::Names;
use crate::contexts::project::use_project;
pub use describe::{Words, actor, describe};

/// A list of events, newest first, that grows in place.
#[component]
pub fn Timeline(
    /// The events, newest first.
    #[prop(into)]
    events: Signal<Vec<Envelope>>,
    /// Whether each names and links what it happened to.
    #[prop(optional)]
    with_subject: bool,
    /// What the list is called.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    view! {
        <ol class="timeline" aria-label=label>
            <For each=move || events.get() key=id_of let:event>
                <TimelineItem event with_subject/>
            </For>
        </ol>
    }
}

fn id_of(event: &Envelope) -> EventId {
    event.event_id
}

#[component]
fn TimelineItem(event: Envelope, with_subject: bool) -> impl IntoView {
    let words = describe(&event);
    let (tone, icon) = (words.tone.as_str(), icon_of(words.tone));
    let called = ["reference", "title", "name", "account"]
        .iter()
        .find_map(|name| event.payload.get(*name).and_then(|text| text.as_str()))
        .map(str::to_owned);
    let called = called.filter(|_| with_subject);
    let subject = called.map(|name| match Module::page_of(&event) {
        Some(path) => {
            let href = use_project().href(&path);
            Either::Left(view! { <a class="timeline-subject" href=href>{name}</a> " " })
        }
        None => Either::Right(view! { <span class="timeline-subject">{name}</span> " " }),
    });
    let names = use_context::<Names>();
    let by = {
        let event = event.clone();
        // A name can become known later than the event.
        move || {
            let named = |id| names.and_then(|names| names.people.read().get(&id).cloned());
            actor(&event, named).map(|actor| format!(" · {actor}"))
        }
    };
    view! {
        <li class="timeline-item" data-id=event.event_id.to_string() data-type=event.event_type.to_string()>
            <span class="timeline-mark" data-tone=tone><Icon name=icon/></span>
            <div class="timeline-body">
                <p class="timeline-title">{subject}{words.title}</p>
                {words.detail.map(|detail| view! { <p class="timeline-detail">{detail}</p> })}
                <p class="timeline-meta">
                    <RelativeTime at=event.occurred_at/>
                    {by}
                    " · v" {event.aggregate_version} " · #" {event.position.get()}
                </p>
            </div>
        </li>
    }
}
