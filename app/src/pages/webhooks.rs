//! Webhooks: endpoints outside that are told of events.

mod deliveries;
mod delivery;
mod endpoint;
mod new_webhook;
pub mod view;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use tidewatch_events::Timestamp;

use self::endpoint::WebhookState;
use self::new_webhook::NewWebhookForm;
use crate::api::{ChangeProject, list_webhooks};
use crate::components::change_form::{ChangeAction, ChangeAnswer};
use crate::components::{EmptyState, ErrorState, Loading, ReadFreshness, RelativeTime, WhileAllowed};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{Snapshot, Webhook};

/// The project's endpoints.
#[component]
pub fn WebhooksPage() -> impl IntoView {
    let project = use_project();
    let action = use_form_action::<ChangeProject>();
    let webhooks = Resource::new(|| (), move |()| list_webhooks(project.slug()));
    view! {
        <Title text="Webhooks"/>
        <div class="page">
            <h1>"Webhooks"</h1>
            <ChangeAnswer action/>
            <Transition fallback=|| view! { <Loading what="the webhooks"/> }>
                {move || Suspend::new(async move {
                    match webhooks.await {
                        Ok(snapshot) => Either::Left(view! { <NewWebhookForm action/> <Endpoints snapshot action/> }),
                        Err(error) => Either::Right(view! { <ErrorState error what="the webhooks"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn Endpoints(snapshot: Snapshot<Vec<Webhook>>, action: ChangeAction) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || list_webhooks(project.slug()));
    refetch_after(action, live);
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let webhooks = Memo::new(move |_| state.with(|state| state.data().clone()));
    view! {
        <WhileAllowed live what="the webhooks">
            <p class="page-meta"><ReadFreshness as_of/></p>
            <Show when=move || webhooks.with(Vec::is_empty)>
                <EmptyState title="No webhooks yet">
                    <p>"An endpoint of yours is told of every event that it may see, signed, and again until it has taken it."</p>
                </EmptyState>
            </Show>
            <Show when=move || !webhooks.with(Vec::is_empty)>
                <section class="card" aria-label="Webhooks">
                    <ul class="list" data-count=move || webhooks.with(Vec::len).to_string()>
                        {move || webhooks.get().into_iter().map(|webhook| view! { <Endpoint webhook as_of=as_of.get_untracked()/> }).collect_view()}
                    </ul>
                </section>
            </Show>
        </WhileAllowed>
    }
}

#[component]
fn Endpoint(webhook: Webhook, as_of: Timestamp) -> impl IntoView {
    let href = use_project().href(&format!("/webhooks/{}", webhook.id));
    let types = if webhook.types.is_empty() { "all types".to_owned() } else { webhook.types.join(", ") };
    let pending = webhook.pending;
    view! {
        <li class="list-item" data-id=webhook.id.to_string() data-enabled=webhook.enabled.to_string()>
            <div class="list-main">
                <p class="list-title"><a href=href>{webhook.url.clone()}</a></p>
                <p class="list-detail">{webhook.description.clone()}</p>
            </div>
            <div class="list-side">
                <p>{types}</p>
                <p class="list-detail">
                    {(pending > 0).then(|| format!("{} on their way · ", format::count(pending)))}
                    "made " <RelativeTime at=webhook.created_at/>
                </p>
            </div>
            <WebhookState webhook=webhook.clone() as_of/>
        </li>
    }
}
