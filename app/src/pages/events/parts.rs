//! What an event is shown by, in the list and on its own page.

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::Envelope;
use tidewatch_modules::Module;

use super::scope::address;
use crate::contexts::project::use_project;
use crate::format;
use crate::model::{EventQuery, Moment};

/// What it happened to: a link to the record.
#[component]
pub fn Subject(
    /// The event.
    event: Envelope,
) -> impl IntoView {
    let title = format!("{} {}", event.aggregate_type, event.aggregate_id);
    let name =
        view! { {event.aggregate_type.to_string()} " " <code>{format::short_id(&event.aggregate_id)}</code> };
    match Module::page_of(&event) {
        Some(path) => Either::Left(view! { <a href=use_project().href(&path) title=title>{name}</a> }),
        None => Either::Right(view! { <span title=title>{name}</span> }),
    }
}

/// Who did it: a link to all that they did.
#[component]
pub fn ActorLink(
    /// The event.
    event: Envelope,
) -> impl IntoView {
    let Some(actor) = event.metadata.actor else {
        return Either::Left(view! { <span class="cell-faint">"–"</span> });
    };
    let text = actor.to_string();
    let shown = text
        .split_once(':')
        .map_or_else(|| text.clone(), |(kind, name)| format!("{kind}:{}", format::short_id(name)));
    let query = EventQuery { actor: Some(actor), ..EventQuery::default() };
    Either::Right(view! { <a href=use_project().href(&address(&query)) title=text><code>{shown}</code></a> })
}

/// Where an event's page is.
#[must_use]
pub fn permalink(event: &Envelope) -> String {
    format!("/events/{}", event.event_id)
}

/// Links to what has to do with the event.
#[component]
pub fn Related(
    /// The event.
    event: Envelope,
) -> impl IntoView {
    let project = use_project();
    let related = event.metadata.correlation_id.clone().map(|id| {
        let query = EventQuery { correlation_id: Some(id), ..EventQuery::default() };
        let href = project.href(&address(&query));
        view! { <a class="button button-small" href=href data-related="">"Related"</a> }
    });
    let cause = event.metadata.causation_id.map(|id| {
        let href = project.href(&format!("/events/{id}"));
        view! { <a class="button button-small" href=href data-cause="">"Caused by"</a> }
    });
    let same = EventQuery {
        resource_types: vec![event.aggregate_type.clone()],
        resource_id: Some(event.aggregate_id.clone()),
        ..EventQuery::default()
    };
    let then = EventQuery { as_of: Some(Moment::Position(event.position)), ..EventQuery::default() };
    view! {
        {related}
        {cause}
        <a class="button button-small" href=project.href(&address(&same))>"Same resource"</a>
        <a class="button button-small" href=project.href(&address(&then))>"As of then"</a>
    }
}
