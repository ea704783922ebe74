//! Events, newest first, each in words: what happened, when, and who did it.
//!
//! The words are made by [`describe`], of what the payload says: built-in types have words of their own, and those of a
//! module the words of their names.

mod describe;

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::{Envelope, EventId};
use tidewatch_modules::{Module, Tone};

use super::status_badge::icon_of;
use super::{Icon, RelativeTime};
use crate::contexts::names::Names;
use crate::contexts::project::use_project;
pub use describe::{Words, actor, describe};

/// A list of events, newest first, that grows in place.
///
/// Where [`Names`] are in the context, people are called by their names.
///
/// ```
/// use leptos::prelude::*;
/// use tidewatch_app::components::Timeline;
/// use tidewatch_app::live::reduce::DetailState;
///
/// /// What happened to a record that `use_live` keeps right.
/// #[component]
/// fn History(state: RwSignal<DetailState>) -> impl IntoView {
///     let module = StoredValue::new(state.with_untracked(|state| state.detail().module.clone()));
///     let events = Memo::new(move |_| {
///         state.with(|state| state.detail().timeline.iter().rev().cloned().collect::<Vec<_>>())
///     });
///     view! { <Timeline events module label="Events, newest first"/> }
/// }
/// ```
#[component]
pub fn Timeline(
    /// The events, newest first.
    #[prop(into)]
    events: Signal<Vec<Envelope>>,
    /// Whether each names and links what it happened to.
    #[prop(optional)]
    with_subject: bool,
    /// The module that they are of, whose statuses say how each is coloured; left out: the words of statuses do.
    #[prop(optional)]
    module: Option<StoredValue<Module>>,
    /// What the list is called.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    view! {
        <ol class="timeline" aria-label=label>
            <For each=move || events.get() key=id_of let:event>
                <TimelineItem event module with_subject/>
            </For>
        </ol>
    }
}

fn id_of(event: &Envelope) -> EventId {
    event.event_id
}

/// The part that the status plays in its own module to which the event led.
fn tone_in(module: &Module, event: &Envelope) -> Option<Tone> {
    let is_own = event.aggregate_type == module.aggregate_type;
    let status = event.payload.get("status").and_then(|status| status.as_str()).filter(|_| is_own)?;
    module.status(status).map(|status| status.tone)
}

#[component]
fn TimelineItem(event: Envelope, module: Option<StoredValue<Module>>, with_subject: bool) -> impl IntoView {
    let words = describe(&event);
    let tone = module.and_then(|module| module.with_value(|module| tone_in(module, &event)));
    let tone = tone.unwrap_or(words.tone);
    let (tone, icon) = (tone.as_str(), icon_of(tone));
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
