//! One event.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use tidewatch_events::{Envelope, EventId};

use super::NotFoundPage;
use super::events::curl::{Curl, of_event};
use super::events::parts::{ActorLink, Related, Subject};
use crate::api::{get_event, get_event_deliveries, get_event_notifications};
use crate::components::timeline::describe;
use crate::components::{
    CopyableId, Delivery, ErrorState, Json, Loading, NotificationProofs, ReadFreshness, RelativeTime,
    WhileAllowed,
};
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::live::reduce::Polled;
use crate::live::{Anchor, use_connection, use_live};
use crate::model::{DeliveryProof, NotificationProof, Snapshot};

/// An event under its own address.
#[component]
pub fn EventPage() -> impl IntoView {
    use_connection();
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let project = use_project();
    let event = Resource::new(
        move || id.get(),
        move |id| async move {
            let id: EventId = id.parse().map_err(|_| AppError::NotFound)?;
            get_event(project.slug(), id).await
        },
    );
    let proof = Resource::new(
        move || id.get(),
        move |id| async move {
            let id: EventId = id.parse().map_err(|_| AppError::NotFound)?;
            get_event_deliveries(project.slug(), id).await
        },
    );
    let told = Resource::new(
        move || id.get(),
        move |id| async move {
            let id: EventId = id.parse().map_err(|_| AppError::NotFound)?;
            get_event_notifications(project.slug(), id).await
        },
    );
    view! {
        <Transition fallback=|| view! { <Loading what="the event"/> }>
            {move || Suspend::new(async move {
                match event.await {
                    Ok(event) => view! { <Whole event proof told/> }.into_any(),
                    Err(AppError::NotFound) => view! { <NotFoundPage/> }.into_any(),
                    Err(error) => view! {
                        <Title text="Event"/>
                        <div class="page"><h1>"Event"</h1><ErrorState error what="the event"/></div>
                    }
                    .into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn Whole(
    event: Envelope,
    proof: Resource<Result<Snapshot<Option<DeliveryProof>>, AppError>>,
    told: Resource<Result<Vec<NotificationProof>, AppError>>,
) -> impl IntoView {
    let id = event.event_id;
    let words = describe(&event);
    let event_type = event.event_type.to_string();
    let title = format!("{event_type} #{}", event.position);
    let json = serde_json::to_value(&event).unwrap_or_default();
    let metadata = event.metadata.clone();
    let project = use_project();
    let events = project.href("/events");
    view! {
        <Title text=title/>
        <div class="page event-page" data-id=event.event_id.to_string()>
            <p><a href=events>"All events"</a></p>
            <h1><code>{event_type.clone()}</code></h1>
            {(words.title != event_type).then(|| view! { <p class="event-words">{words.title}</p> })}
            <dl class="facts">
                <div><dt>"Event"</dt><dd><CopyableId id=event.event_id.to_string() whole=true/></dd></div>
                <div><dt>"Occurred"</dt><dd><RelativeTime at=event.occurred_at/></dd></div>
                <div><dt>"Position"</dt><dd class="tabular">"#" {event.position.get()}</dd></div>
                <div><dt>"Happened to"</dt><dd><Subject event=event.clone()/> ", version " {event.aggregate_version}</dd></div>
                <div><dt>"Actor"</dt><dd><ActorLink event=event.clone()/></dd></div>
                {metadata.signed_by.map(|signer| view! { <div><dt>"By a token of"</dt><dd><code>{signer.to_string()}</code></dd></div> })}
                {metadata.correlation_id.map(|id| view! { <div><dt>"Correlation"</dt><dd><CopyableId id whole=true/></dd></div> })}
                {metadata.causation_id.map(|id| view! { <div><dt>"Caused by"</dt><dd><code>{id.to_string()}</code></dd></div> })}
                {metadata.traceparent.map(|trace| view! { <div><dt>"Trace"</dt><dd><code>{trace}</code></dd></div> })}
            </dl>
            <div class="button-row"><Related event=event.clone()/></div>
            <Transition>
                {move || Suspend::new(async move {
                    // Nothing for those who may not see it.
                    proof.await.ok().map(|snapshot| view! { <Proof id snapshot/> })
                })}
            </Transition>
            <Transition>
                {move || Suspend::new(async move {
                    let look = move || get_event_notifications(project.slug(), id);
                    told.await.ok().map(|first| view! { <NotificationProofs first look/> })
                })}
            </Transition>
            <Json value=json/>
            <Curl command=of_event(event.event_id)/>
        </div>
    }
}

/// To whom it was given, read anew every other second: no event tells of that.
#[component]
fn Proof(id: EventId, snapshot: Snapshot<Option<DeliveryProof>>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || get_event_deliveries(project.slug(), id));
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let proof = Memo::new(move |_| state.with(|state| state.data().clone()));
    view! {
        <WhileAllowed live what="to whom it was delivered">
        <section class="deliveries" aria-labelledby="delivery">
            <h2 id="delivery">"Delivery"</h2>
            <p class="page-meta"><ReadFreshness as_of/></p>
            {move || match proof.get() {
                Some(proof) => Either::Left(view! { <div class="proof-item"><Delivery proof/></div> }),
                None => Either::Right(view! { <p class="hint">"It is not published yet."</p> }),
            }}
        </section>
        </WhileAllowed>
    }
}
