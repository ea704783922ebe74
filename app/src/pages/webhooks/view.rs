//! One endpoint.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};
use leptos_router::params::ParamsMap;
use tidewatch_events::Timestamp;
use tidewatch_events::id::WebhookId;

use super::deliveries::DeliveryTable;
use super::endpoint::{WebhookState, is_failing};
use crate::api::{ChangeProject, get_webhook};
use crate::components::change_form::{ChangeAction, ChangeAnswer, ChangeButton, ChangeForm, use_deletion};
use crate::components::{CopyableId, ErrorState, Icon, IconName, Loading, RelativeTime, WhileAllowed};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::live::reduce::PolledList;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{DisabledReason, Snapshot, Webhook, WebhookDetail, WebhookQuery};
use crate::pages::GonePage;

/// Where all of them are.
const WEBHOOKS: &str = "/webhooks";

/// One endpoint, what was sent to it, and what can be done.
#[component]
pub fn WebhookPage() -> impl IntoView {
    let (params, query) = (use_params_map(), use_query_map());
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let query = Memo::new(move |_| read_query(&query.read()));
    let project = use_project();
    let webhook = Resource::new(
        move || (id.get(), query.get()),
        move |(id, query)| async move {
            let id: WebhookId = id.parse().map_err(|_| AppError::NotFound)?;
            get_webhook(project.slug(), id, query.clone()).await.map(|snapshot| (query, snapshot))
        },
    );
    view! {
        <Transition fallback=|| view! { <Loading what="the webhook"/> }>
            {move || Suspend::new(async move {
                match webhook.await {
                    Ok((query, snapshot)) => view! { <WebhookView query snapshot/> }.into_any(),
                    Err(AppError::NotFound) => view! { <GonePage what="Webhook" all="Webhooks" list=WEBHOOKS/> }.into_any(),
                    Err(error) => view! {
                        <Title text="Webhook"/>
                        <div class="page"><h1>"Webhook"</h1><ErrorState error what="the webhook"/></div>
                    }
                    .into_any(),
                }
            })}
        </Transition>
    }
}

fn read_query(params: &ParamsMap) -> WebhookQuery {
    WebhookQuery {
        state: params.get("state").and_then(|state| state.parse().ok()),
        after: params.get("after").and_then(|after| after.parse().ok()),
    }
}

#[component]
fn WebhookView(query: WebhookQuery, snapshot: Snapshot<WebhookDetail>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let first = snapshot.data.webhook.clone();
    let id = first.id;
    let state = RwSignal::new(PolledList::new(snapshot));
    let project = use_project();
    let asked = query.clone();
    let live = use_live(state, anchor, move || get_webhook(project.slug(), id, asked.clone()));
    let action = use_form_action::<ChangeProject>();
    refetch_after(action, live);

    let webhook = Memo::new(move |_| state.with(|state| state.page().webhook.clone()));
    let as_of = Memo::new(move |_| state.with(PolledList::as_of));
    let trouble = Memo::new(move |_| webhook.with(|webhook| trouble(webhook, as_of.get())));
    let query = StoredValue::new(query);
    view! {
        <Title text=first.url.clone()/>
        <WhileAllowed live what="this webhook">
        <article class="page webhook" data-id=id.to_string() data-enabled=move || webhook.read().enabled.to_string()>
            <p class="breadcrumb"><a href=project.href(WEBHOOKS)>"Webhooks"</a></p>
            <header>
                <h1 class="breakable">{move || webhook.read().url.clone()}</h1>
                <CopyableId id=id.to_string() whole=true/>
            </header>
            <div class="record-state">{move || view! { <WebhookState webhook=webhook.get() as_of=as_of.get()/> }}</div>
            {move || trouble.get().map(|text| view! {
                <p class="alert" data-tone="bad"><Icon name=IconName::Alert/><span>{text}</span></p>
            })}
            <ChangeAnswer action/>
            <Actions webhook action/>
            <Facts webhook/>
            <section aria-labelledby="deliveries">
                <h2 id="deliveries">"Deliveries"</h2>
                <DeliveryTable list=state id query=query.get_value() action/>
            </section>
        </article>
        </WhileAllowed>
    }
}

fn trouble(webhook: &Webhook, as_of: Timestamp) -> Option<String> {
    match webhook.disabled_reason {
        Some(DisabledReason::Gone) => {
            Some("It answered 410: it wants nothing any more, and nothing is sent.".to_owned())
        }
        Some(DisabledReason::Failing) => {
            Some("For 5 days it took nothing of what it was sent. Nothing is sent any more.".to_owned())
        }
        _ if is_failing(webhook, as_of) => Some(
            "It takes nothing of what it is sent now. Each delivery is tried again for some days.".to_owned(),
        ),
        _ => None,
    }
}

#[component]
fn Actions(webhook: Memo<Webhook>, action: ChangeAction) -> impl IntoView {
    let id = webhook.read_untracked().id.to_string();
    let deletion = use_deletion(WEBHOOKS);
    let fields = StoredValue::new(vec![("id", id.clone())]);
    let enabled = Memo::new(move |_| webhook.read().enabled);
    let switch = move || {
        let (label, wanted) = if enabled.get() { ("Disable", "false") } else { ("Enable", "true") };
        let mut fields = fields.get_value();
        fields.push(("enabled", wanted.to_owned()));
        view! { <ChangeButton action name="setWebhookEnabled" fields label/> }
    };
    view! {
        <div class="button-row">
            <Show when=move || enabled.get()>
                <ChangeButton action name="testWebhook" fields=fields.get_value() label="Send a test"/>
            </Show>
            {switch}
            <details class="disclosure">
                <summary class="button button-small">"Rotate the secret…"</summary>
                <div class="panel">
                    <ChangeForm action name="rotateWebhookSecret">
                        <input type="hidden" name="change[rotateWebhookSecret][id]" value=id/>
                        <label class="field">
                            <span>"The old secret signs for"</span>
                            <select name="change[rotateWebhookSecret][overlapHours]">
                                <option value="24">"24 hours more"</option>
                                <option value="1">"1 hour more"</option>
                                <option value="168">"7 days more"</option>
                                <option value="0">"no longer"</option>
                            </select>
                        </label>
                        <button class="button button-primary" disabled=move || action.pending().get()>"Make the new secret"</button>
                    </ChangeForm>
                </div>
            </details>
            <details class="disclosure">
                <summary class="button button-small button-danger">"Delete…"</summary>
                <div class="panel">
                    <p>"It is told nothing more, and what is known of its deliveries goes with it."</p>
                    <ChangeButton action=deletion name="deleteWebhook" fields=fields.get_value() danger=true label="Delete the webhook"/>
                </div>
            </details>
        </div>
    }
}

#[component]
fn Facts(webhook: Memo<Webhook>) -> impl IntoView {
    let types = move || {
        let types = webhook.read().types.clone();
        if types.is_empty() { vec!["all that it may see".to_owned()] } else { types }
    };
    let tags = |names: Vec<String>| {
        view! { <span class="tags">{names.into_iter().map(|name| view! { <span class="tag">{name}</span> }).collect_view()}</span> }
    };
    let first = webhook.get_untracked();
    view! {
        <dl class="facts">
            {(!first.description.is_empty()).then(|| view! { <div><dt>"For"</dt><dd>{first.description.clone()}</dd></div> })}
            <div><dt>"Types"</dt><dd>{move || tags(types())}</dd></div>
            <div><dt>"May see"</dt><dd>{move || tags(webhook.read().permissions.clone())}</dd></div>
            <div><dt>"On their way"</dt><dd class="tabular">{move || webhook.read().pending}</dd></div>
            {move || webhook.read().failing_since.map(|at| view! { <div><dt>"Failing since"</dt><dd><RelativeTime at/></dd></div> })}
            {move || webhook.read().old_secret_until.map(|at| view! { <div><dt>"Old secret ends"</dt><dd><RelativeTime at/></dd></div> })}
            <div><dt>"Made"</dt><dd><RelativeTime at=first.created_at/> " by " {first.created_by.clone()}</dd></div>
        </dl>
    }
}
