//! One delivery in the log, with its attempts where somebody wants to see them.

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use tidewatch_events::id::{WebhookDeliveryId, WebhookId};

use super::deliveries::title_of;
use crate::api::get_webhook_delivery;
use crate::components::change_form::{ChangeAction, ChangeButton};
use crate::components::{Badge, CopyableId, ErrorState, IconName, Loading, RelativeTime};
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::PolledList;
use crate::model::{WebhookAttempt, WebhookDelivery, WebhookDeliveryState, WebhookDetail};

/// A row that follows its delivery.
#[component]
pub(super) fn DeliveryRow(
    list: RwSignal<PolledList<WebhookDetail>>,
    first: WebhookDelivery,
    /// Where its attempts are, for those without JavaScript.
    attempts: String,
    action: ChangeAction,
) -> impl IntoView {
    let id: WebhookDeliveryId = first.id;
    let row = Memo::new(move |before: Option<&WebhookDelivery>| {
        let now = list.with(|list| list.row(&id).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    let is_leaving = Memo::new(move |_| list.with(|list| list.is_leaving(&id)));
    let state = Memo::new(move |_| row.read().state);
    let constant = row.get_untracked();
    let fields = vec![("webhookId", constant.webhook_id.to_string()), ("id", id.to_string())];
    let fields = StoredValue::new(fields);
    view! {
        <tr class="plain-row" class:is-leaving=is_leaving data-id=id.to_string() data-state=move || state.get().as_str()>
            <th scope="row" data-label="Event">
                <span class="cell-title">
                    {match constant.position {
                        Some(_) => Either::Left(view! {
                            <a href=use_project().href(&format!("/events/{}", constant.event_id))>{constant.event_type}</a>
                        }),
                        // It is in no stream, and has no page.
                        None => Either::Right(view! { {constant.event_type} <span class="tag">"test"</span> }),
                    }}
                </span>
                <CopyableId id=id.to_string()/>
            </th>
            <td data-label="State">{move || view! { <DeliveryState state=state.get()/> }}</td>
            <td class="numeric" data-label="Attempts">{move || row.read().attempt_count}</td>
            <td data-label="Last answer">
                {move || answer(&row.read())}
                <Attempts row href=attempts/>
            </td>
            <td data-label="When">{move || when(&row.read())}</td>
            <td class="cell-action">
                <Show when=move || state.get() != WebhookDeliveryState::Pending>
                    <ChangeButton action name="resendDelivery" fields=fields.get_value() label="Send again"/>
                </Show>
            </td>
        </tr>
    }
}

#[component]
fn DeliveryState(state: WebhookDeliveryState) -> impl IntoView {
    let (tone, icon) = match state {
        WebhookDeliveryState::Pending => ("active", IconName::Send),
        WebhookDeliveryState::Delivered => ("good", IconName::CheckCircle),
        WebhookDeliveryState::Failed => ("bad", IconName::Cross),
        WebhookDeliveryState::Cancelled => ("neutral", IconName::Pause),
    };
    view! { <Badge tone icon status=state.as_str() text=title_of(state)/> }
}

fn answer(delivery: &WebhookDelivery) -> String {
    match (delivery.last_status, &delivery.last_error) {
        (_, Some(error)) => error.clone(),
        (Some(status), None) => status.to_string(),
        (None, None) => "–".to_owned(),
    }
}

/// The moment that says most about it now.
fn when(delivery: &WebhookDelivery) -> impl IntoView + use<> {
    let (word, at) = match (delivery.finished_at, delivery.next_attempt_at) {
        (Some(finished), _) => ("ended ", finished),
        (None, Some(next)) => ("next ", next),
        (None, None) => ("since ", delivery.created_at),
    };
    view! { <span class="cell-faint">{word}</span> <RelativeTime at/> }
}

/// Each time that it was sent, read when somebody opens it.
#[component]
fn Attempts(row: Memo<WebhookDelivery>, href: String) -> impl IntoView {
    let project = use_project();
    let (webhook, id) = row.with_untracked(|row| (row.webhook_id, row.id));
    let is_open = RwSignal::new(false);
    let count = Memo::new(move |_| row.read().attempt_count);
    let attempts = LocalResource::new(move || {
        let wanted = is_open.get() && count.get() > 0;
        async move {
            match wanted {
                true => get_webhook_delivery(project.slug(), webhook, id).await.map(|detail| detail.attempts),
                false => Ok(Vec::new()),
            }
        }
    });
    let toggle = move |event: leptos::ev::Event| {
        let details: web_sys::HtmlDetailsElement = event_target(&event);
        is_open.set(details.open());
    };
    view! {
        <Show when=move || { count.get() > 0 }>
            <a class="without-scripting" href=href.clone()>"Attempts"</a>
            <details class="needs-scripting" on:toggle=toggle>
                <summary class="cell-summary">"Attempts"</summary>
                <ol class="list">
                    // Read where it is open alone: on the server it never comes, and all the page would wait for it.
                    {move || is_open.get().then(|| match attempts.get() {
                        Some(Ok(attempts)) => Either::Left(
                            attempts.into_iter().rev().map(|attempt| view! { <Attempt attempt/> }).collect_view(),
                        ),
                        Some(Err(error)) => Either::Right(view! { <li class="cell-detail">{error.to_string()}</li> }.into_any()),
                        None => Either::Right(view! { <li class="cell-detail">"Loading…"</li> }.into_any()),
                    })}
                </ol>
            </details>
        </Show>
    }
}

/// The delivery that the address names, with each time that it was sent: it can be linked to, and read without JavaScript.
#[component]
pub(super) fn OneDelivery(
    list: RwSignal<PolledList<WebhookDetail>>,
    webhook: WebhookId,
    delivery: WebhookDeliveryId,
    /// The page without it.
    close: String,
) -> impl IntoView {
    let project = use_project();
    // Where the list shows it as well, this follows.
    let count = Memo::new(move |_| list.with(|list| list.row(&delivery).map(|row| row.attempt_count)));
    let detail =
        Resource::new(move || count.get(), move |_| get_webhook_delivery(project.slug(), webhook, delivery));
    view! {
        <section class="panel" aria-label="Attempts of a delivery" data-delivery=delivery.to_string()>
            <p class="button-row">
                <CopyableId id=delivery.to_string() whole=true/>
                <a class="button button-small button-quiet" href=close>"Close"</a>
            </p>
            <Transition fallback=|| view! { <Loading what="the attempts"/> }>
                {move || Suspend::new(async move {
                    match detail.await {
                        Ok(detail) if detail.attempts.is_empty() => {
                            EitherOf3::A(view! { <p class="hint">"It was not sent yet."</p> })
                        }
                        Ok(detail) => EitherOf3::B(view! {
                            <ol class="list">
                                {detail.attempts.into_iter().rev().map(|attempt| view! { <Attempt attempt/> }).collect_view()}
                            </ol>
                        }),
                        Err(error) => EitherOf3::C(view! { <ErrorState error what="the attempts"/> }),
                    }
                })}
            </Transition>
        </section>
    }
}

#[component]
fn Attempt(attempt: WebhookAttempt) -> impl IntoView {
    let result = match (attempt.status, attempt.error) {
        (Some(status), None) => status.to_string(),
        (_, Some(error)) => error,
        (None, None) => "no answer".to_owned(),
    };
    view! {
        <li class="failure">
            <p class="list-detail">
                {format!("{}. ", attempt.number)} {result} {format!(" · {} · ", format::span(i64::try_from(attempt.duration_ms).unwrap_or(i64::MAX)))}
                <RelativeTime at=attempt.at/>
            </p>
            {(!attempt.excerpt.is_empty()).then(|| view! { <pre class="json" tabindex="0"><code>{attempt.excerpt}</code></pre> })}
        </li>
    }
}
