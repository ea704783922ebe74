//! Delivery proof: committed, published, streamed to whom, acknowledged by whom, each with its time.

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::Timestamp;

use super::{Icon, IconName};
use crate::contexts::project::use_project;
use crate::format;
use crate::model::{DeliveryProof, ProofReader, ProofWebhook};

/// What became of one event, in the four steps that it takes.
#[component]
pub fn Delivery(
    /// The proof.
    proof: DeliveryProof,
) -> impl IntoView {
    let committed = proof.committed_at;
    let published = proof.published_at;
    let delay = published.unix_millis() - committed.unix_millis();
    let acknowledged = proof.acknowledgements.len()
        + proof.webhooks.iter().filter(|webhook| webhook.state == "delivered").count();
    let readers = proof.readers.len();
    view! {
        <dl class="proof" data-event=proof.event_id.to_string() data-readers=readers.to_string()
            data-acknowledged=acknowledged.to_string()>
            <div class="proof-step">
                <dt>"Committed"</dt>
                <dd><Clock at=committed/></dd>
            </div>
            <div class="proof-step">
                <dt>"Published"</dt>
                <dd><Clock at=published after=committed/> <small>{format!("{} later", format::span(delay))}</small></dd>
            </div>
            <div class="proof-step">
                <dt>"Streamed to"</dt>
                <dd><Readers readers=proof.readers published more=proof.more/></dd>
            </div>
            <div class="proof-step">
                <dt>"Acknowledged by"</dt>
                <dd>
                    {(proof.acknowledgements.is_empty() && proof.webhooks.is_empty())
                        .then(|| view! { <span class="cell-faint">"Nobody yet"</span> })}
                    <ul class="proof-names">
                        {proof.acknowledgements.into_iter().map(|done| view! {
                            <li>
                                <span class="proof-name">{done.name}</span>
                                <small>{format!("subscription {} · ", done.subscription)}<Clock at=done.acknowledged_at after=committed/></small>
                            </li>
                        }).collect_view()}
                        {proof.webhooks.into_iter().map(|webhook| view! { <Webhook webhook committed/> }).collect_view()}
                    </ul>
                </dd>
            </div>
        </dl>
    }
}

/// Readers above which their names fold away.
const FEW: usize = 3;

#[component]
fn Readers(readers: Vec<ProofReader>, published: Timestamp, more: bool) -> impl IntoView {
    let count = readers.len();
    if count == 0 {
        return Either::Left(view! { <span class="cell-faint">"Nobody was listening"</span> });
    }
    let names = readers
        .into_iter()
        .map(|reader| {
            let way = reader.via.iter().map(|via| way(via)).collect::<Vec<_>>().join(", ");
            let connections = match reader.connections {
                0 | 1 => String::new(),
                many => format!(" on {} connections", format::count(many.into())),
            };
            let when = if reader.live {
                Either::Left("live")
            } else {
                let later = reader.given_at.unix_millis() - published.unix_millis();
                Either::Right(format!("{} later", format::span(later)))
            };
            view! {
                <li data-actor=reader.actor data-live=reader.live.to_string()>
                    <span class="proof-name">{reader.name}</span>
                    <small>{format!("{way}{connections} · ")}<Clock at=reader.given_at after=published/>" · "{when}</small>
                </li>
            }
        })
        .collect_view();
    let names = view! { <ul class="proof-names">{names}</ul> };
    let at_least = if more { "at least " } else { "" };
    Either::Right(if count <= FEW {
        Either::Left(names)
    } else {
        Either::Right(view! {
            <details>
                <summary>{format!("{at_least}{} readers", format::count(count as u64))}</summary>
                {names}
            </details>
        })
    })
}

#[component]
fn Webhook(webhook: ProofWebhook, committed: Timestamp) -> impl IntoView {
    let href = use_project().href(&format!("/webhooks/{}", webhook.webhook));
    let (icon, says) = match webhook.state.as_str() {
        "delivered" => (IconName::Check, "taken"),
        "failed" => (IconName::Alert, "given up"),
        "cancelled" => (IconName::Alert, "called off"),
        _ => (IconName::Hourglass, "on its way"),
    };
    let attempts = match webhook.attempts {
        0 | 1 => String::new(),
        many => format!(" at attempt {many}"),
    };
    view! {
        <li data-webhook=webhook.state>
            <a class="proof-name" href=href>{webhook.url}</a>
            <small>
                <Icon name=icon/> {format!("webhook {says}{attempts}")}
                {webhook.finished_at.map(|at| view! { " · " <Clock at after=committed/> })}
            </small>
        </li>
    }
}

/// How a transport is called by people.
fn way(via: &str) -> String {
    match via {
        "sse" => "stream".to_owned(),
        "poll" => "page".to_owned(),
        "socketio" => "Socket.IO".to_owned(),
        other => other.to_owned(),
    }
}

/// A time to the millisecond, with the day where it is another one than that of `after`.
#[component]
pub(super) fn Clock(at: Timestamp, #[prop(optional, into)] after: Option<Timestamp>) -> impl IntoView {
    let text = match after {
        Some(after) if format::day(after) == format::day(at) => format::clock(at),
        _ => format!("{} {}", format::day(at), format::clock(at)),
    };
    view! { <time class="tabular" datetime=at.to_string()>{text}</time> }
}
