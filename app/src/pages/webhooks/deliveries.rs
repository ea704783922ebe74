//! The log of what was sent to an endpoint.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};

use super::delivery::{DeliveryRow, OneDelivery};
use crate::address::with_parameters;
use crate::components::change_form::ChangeAction;
use crate::components::{EmptyState, LiveTable, Pagination, ReadFreshness};
use crate::contexts::project::use_project;
use crate::live::reduce::PolledList;
use crate::model::{WebhookDelivery, WebhookDeliveryState, WebhookDetail, WebhookQuery};

/// A state as people read it.
pub(super) const fn title_of(state: WebhookDeliveryState) -> &'static str {
    match state {
        WebhookDeliveryState::Pending => "On its way",
        WebhookDeliveryState::Delivered => "Delivered",
        WebhookDeliveryState::Failed => "Failed",
        WebhookDeliveryState::Cancelled => "Called off",
    }
}

fn href(id: WebhookId, state: Option<WebhookDeliveryState>, after: Option<WebhookDeliveryId>) -> String {
    href_of(id, state, after, None)
}

/// With `delivery`, the page shows each time that it was sent, too.
fn href_of(
    id: WebhookId,
    state: Option<WebhookDeliveryState>,
    after: Option<WebhookDeliveryId>,
    delivery: Option<WebhookDeliveryId>,
) -> String {
    with_parameters(
        &format!("/webhooks/{id}"),
        [
            ("state", state.map(|state| state.to_string())),
            ("after", after.map(|after| after.to_string())),
            ("delivery", delivery.map(|delivery| delivery.to_string())),
        ],
    )
}

/// Deliveries, newest first.
#[component]
pub(super) fn DeliveryTable(
    list: RwSignal<PolledList<WebhookDetail>>,
    id: WebhookId,
    query: WebhookQuery,
    action: ChangeAction,
) -> impl IntoView {
    let project = use_project();
    let state = query.state;
    let as_of = Memo::new(move |_| list.with(PolledList::as_of));
    let is_empty = Memo::new(move |_| list.with(|list| list.visible().is_empty()));
    let newest = query.after.map(|_| project.href(&href(id, state, None)));
    let older = Memo::new(move |_| {
        let next = list.with(|list| list.page().deliveries.next)?;
        Some(project.href(&href(id, state, Some(next))))
    });
    let params = use_query_map();
    let chosen = Memo::new(move |_| params.read().get("delivery").and_then(|delivery| delivery.parse().ok()));
    let here = project.href(&href(id, state, query.after));
    let attempts_of = move |delivery| project.href(&href_of(id, state, query.after, Some(delivery)));
    let chip = move |wanted: Option<WebhookDeliveryState>| {
        let current = (state == wanted).then_some("true");
        let name = wanted.map_or("All", title_of);
        view! { <a class="chip" href=project.href(&href(id, wanted, None)) aria-current=current>{name}</a> }
    };
    view! {
        <div class="stack">
        <nav class="chips" aria-label="State">
            {std::iter::once(None).chain(WebhookDeliveryState::ALL.map(Some)).map(chip).collect_view()}
        </nav>
        {move || chosen.get().map(|delivery| view! { <OneDelivery list webhook=id delivery close=here.clone()/> })}
        <LiveTable list what="deliveries" freshness=move || view! { <ReadFreshness as_of/> }>
            <table class="table deliveries" class:is-empty=move || is_empty.get()>
                <caption class="visually-hidden">"Deliveries, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Event"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="numeric">"Attempts"</th>
                        <th scope="col">"Last answer"</th>
                        <th scope="col">"When"</th>
                        <td></td>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || list.with(|list| list.visible().to_vec()) key=|row: &WebhookDelivery| row.id let:row>
                        <DeliveryRow list attempts=attempts_of(row.id) first=row action/>
                    </For>
                </tbody>
            </table>
            <Show when=move || is_empty.get()>
                <EmptyState title="Nothing here now">
                    <p>"What happens from now on and what the webhook may see is sent to it, and appears here."</p>
                </EmptyState>
            </Show>
        </LiveTable>
        <Pagination newest older/>
        </div>
    }
}
