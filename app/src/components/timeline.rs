//! Events, newest first.

mod describe;

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::{Envelope, EventId};

use super::status_badge::{icon_of, tone_of};
use super::{Icon, IconName, RelativeTime};
use crate::contexts::project::use_project;
pub use describe::{Words, actor, describe};

/// A list of events, newest first, that grows in place.
#[component]
pub fn Timeline(
    /// The events, newest first.
    #[prop(into)]
    events: Signal<Vec<Envelope>>,
    /// Whether each names and links the settlement that it happened to.
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
    let tone = words.status.map_or("neutral", tone_of);
    let icon = words.status.map_or(IconName::Dot, icon_of);
    let reference =
        event.payload.get("reference").and_then(|reference| reference.as_str()).map(str::to_owned);
    let subject = reference.filter(|_| with_subject).map(|reference| {
        let href = use_project().href(&format!("/settlements/{}", event.aggregate_id));
        view! { <a class="timeline-subject" href=href>{reference}</a> " " }
    });
    let by = match actor(&event) {
        Some(actor) => Either::Left(view! { " · " {actor} }),
        None => Either::Right(()),
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
