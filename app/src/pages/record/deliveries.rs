//! Delivery proof of a record's latest events.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidewatch_events::EventId;

use crate::api::{get_record_deliveries, get_record_notifications};
use crate::components::{Delivery, ErrorState, NotificationProofs};
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::live::reduce::DetailState;
use crate::live::use_live_client;
use crate::model::{DeliveryProof, NotificationProof};

/// What was asked for: module and id.
pub(super) type Asked = (String, String);
/// The proofs as the page was loaded with them.
pub(super) type Proofs = Resource<Result<Vec<DeliveryProof>, AppError>>;
/// What rules made of the record's events, likewise.
pub(super) type Told = Resource<Result<Vec<NotificationProof>, AppError>>;

/// After an event: other instances tell within a second or two to whom they gave it.
const SETTLED: Duration = Duration::from_millis(2_500);
/// Acknowledgements come without an event.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

/// The proofs, newest first; nothing for those who may not see them.
#[component]
pub(super) fn Deliveries(state: RwSignal<DetailState>, asked: Asked, proofs: Proofs) -> impl IntoView {
    let asked = StoredValue::new(asked);
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match proofs.await {
                    Ok(first) => view! { <List state asked first/> }.into_any(),
                    Err(AppError::Forbidden { .. } | AppError::NotFound) => ().into_any(),
                    Err(error) => view! { <ErrorState error what="to whom it was delivered"/> }.into_any(),
                }
            })}
        </Transition>
    }
}

/// Whom rules told of the record's events; nothing for those who may not see that.
#[component]
pub(super) fn Notified(asked: Asked, told: Told) -> impl IntoView {
    let (asked, project) = (StoredValue::new(asked), use_project());
    let look = move || {
        let (module, id) = asked.get_value();
        get_record_notifications(project.slug(), module, id)
    };
    view! {
        <Transition>
            {move || Suspend::new(async move {
                told.await.ok().map(|first| view! { <NotificationProofs first look with_events=true/> })
            })}
        </Transition>
    }
}

#[component]
fn List(state: RwSignal<DetailState>, asked: StoredValue<Asked>, first: Vec<DeliveryProof>) -> impl IntoView {
    let proofs = RwSignal::new(first);
    let project = use_project();
    let look = move || {
        let (module, id) = asked.get_value();
        spawn_local(async move {
            // What cannot be told now is told the next time.
            if let Ok(now) = get_record_deliveries(project.slug(), module, id).await {
                // The page may have been left meanwhile.
                proofs.try_set(now);
            }
        });
    };
    let held = use_live_client().held();
    let latest =
        Memo::new(move |_| state.with(|state| state.detail().timeline.last().map(|event| event.event_id)));
    Effect::new(move |before: Option<Option<EventId>>| {
        let latest = latest.get();
        if before.is_some_and(|before| before != latest) {
            set_timeout(look, SETTLED);
        }
        latest
    });
    Effect::new(move |_| {
        let rests = move || document().hidden() || held.with_untracked(Option::is_some);
        let every = move || {
            if !rests() {
                look();
            }
        };
        if let Ok(handle) = set_interval_with_handle(every, LOOK_AGAIN) {
            on_cleanup(move || handle.clear());
        }
    });
    let is_empty = Memo::new(move |_| proofs.read().is_empty());
    view! {
        <section class="deliveries" aria-labelledby="delivery">
            <h2 id="delivery">"Delivery"</h2>
            <Show when=move || is_empty.get()><p class="hint">"Nothing of it is published yet."</p></Show>
            <ol class="proofs">
                // Whatever changes of one replaces that one alone: what is folded open elsewhere stays so.
                <For each=move || proofs.get() key=DeliveryProof::clone let:proof>
                    <li class="proof-item">
                        <p class="proof-title">
                            <a href=project.href(&format!("/events/{}", proof.event_id))><code>{proof.event_type.to_string()}</code></a>
                            <span class="cell-faint tabular">" #" {proof.position.get()}</span>
                        </p>
                        <Delivery proof/>
                    </li>
                </For>
            </ol>
        </section>
    }
}
