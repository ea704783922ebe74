//! One event in the list.

use leptos::prelude::*;
use tidewatch_events::Envelope;

use super::curl::{Curl, of_event};
use super::parts::{ActorLink, Related, Subject, permalink};
use crate::components::status_badge::icon_of;
use crate::components::timeline::describe;
use crate::components::{CopyableId, Icon, Json, RelativeTime};
use crate::contexts::project::use_project;

/// An event, and behind its summary all of it.
#[component]
pub(super) fn EventRow(event: Envelope, has_arrived: bool) -> impl IntoView {
    let words = describe(&event);
    let (tone, icon) = (words.tone.as_str(), icon_of(words.tone));
    let is_known = words.title != event.event_type.as_str();
    let href = use_project().href(&permalink(&event));
    let json = serde_json::to_value(&event).unwrap_or_default();
    view! {
        <li
            class="event"
            class:has-arrived=has_arrived
            data-id=event.event_id.to_string()
            data-type=event.event_type.to_string()
            data-position=event.position.to_string()
        >
            <span class="event-time"><RelativeTime at=event.occurred_at in_row=true/></span>
            <span class="event-type">
                <span class="event-mark" data-tone=tone><Icon name=icon/></span>
                <code>{event.event_type.to_string()}</code>
                {is_known.then(|| view! { <span class="cell-faint">{words.title}</span> })}
            </span>
            <span class="event-subject"><Subject event=event.clone()/></span>
            <span class="event-actor"><ActorLink event=event.clone()/></span>
            <a class="event-position tabular" href=href rel="bookmark" title="This event's own page">"#" {event.position.get()}</a>
            <details class="event-more">
                <summary>"JSON"</summary>
                <div class="event-whole">
                    <div class="button-row">
                        <CopyableId id=event.event_id.to_string()/>
                        <Related event=event.clone()/>
                    </div>
                    <Json value=json/>
                    <Curl command=of_event(event.event_id)/>
                </div>
            </details>
        </li>
    }
}
