//! What rules made of events: whom it was sent to, and what became of it, each with its time.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::delivery::Clock;
use super::{Badge, Icon, IconName, RelativeTime};
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::format;
use crate::live::use_live_client;
use crate::model::{NotificationProof, ProofReceipt, ProofTotals};

/// What becomes of others' notifications no event tells the reader.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The notifications of an event or of a record; nothing as long as there is none. They are read anew by `look` every
/// few seconds while the page is looked at.
#[component]
pub fn NotificationProofs<Look, Answer>(
    /// As the page was loaded.
    first: Vec<NotificationProof>,
    /// Reads them anew.
    look: Look,
    /// Whether each says of which event it is.
    #[prop(optional)]
    with_events: bool,
) -> impl IntoView
where
    Look: Fn() -> Answer + Clone + 'static,
    Answer: Future<Output = Result<Vec<NotificationProof>, AppError>> + 'static,
{
    let proofs = RwSignal::new(first);
    let held = use_live_client().held();
    Effect::new(move |_| {
        let look = look.clone();
        let every = move || {
            if document().hidden() || held.with_untracked(Option::is_some) {
                return;
            }
            let answer = look();
            spawn_local(async move {
                // What cannot be told now is told the next time; the page may have been left meanwhile.
                if let Ok(now) = answer.await
                    && proofs.try_with_untracked(|before| *before != now) == Some(true)
                {
                    proofs.try_set(now);
                }
            });
        };
        if let Ok(handle) = set_interval_with_handle(every, LOOK_AGAIN) {
            on_cleanup(move || handle.clear());
        }
    });
    view! {
        <Show when=move || !proofs.read().is_empty()>
            <section class="deliveries notification-proofs" aria-labelledby="notified">
                <h2 id="notified">"Notifications"</h2>
                <ol class="proofs">
                    <For each=move || proofs.get() key=NotificationProof::clone let:proof>
                        <Proof proof with_events/>
                    </For>
                </ol>
            </section>
        </Show>
    }
}

#[component]
fn Proof(proof: NotificationProof, with_events: bool) -> impl IntoView {
    let event = with_events.then(|| {
        let href = use_project().href(&format!("/events/{}", proof.event_id));
        view! { " · " <a href=href>"its event"</a> }
    });
    let summary = summary(&proof.totals, proof.receipts.len(), proof.must_acknowledge);
    let is_settled = proof.acknowledged_at.is_some();
    let receipts = proof.receipts.into_iter();
    let must_acknowledge = proof.must_acknowledge;
    view! {
        <li class="proof-item" data-rule=proof.rule.clone() data-steps=proof.step.to_string()>
            <p class="proof-title">{proof.title}</p>
            <p class="proof-about">
                {format!("By the rule “{}”", proof.rule)} {event}
            </p>
            {proof.must_acknowledge.then(|| view! {
                <p class="proof-about">
                    {if is_settled {
                        view! { <Badge tone="good" icon=IconName::CheckCircle status="acknowledged" text="Acknowledged"/> }
                    } else {
                        view! { <Badge tone="warn" icon=IconName::Hourglass status="waits" text="To acknowledge"/> }
                    }}
                    {proof.acknowledged_at.map(|at| view! { " " <RelativeTime at/> })}
                    {proof.escalates_at.filter(|_| !is_settled).map(|at| view! { " escalates " <RelativeTime at/> })}
                </p>
            })}
            {summary.map(|summary| view! { <p class="proof-about" data-summary>{summary}</p> })}
            <ul class="receipts">{receipts.map(|receipt| view! { <Receipt receipt must_acknowledge/> }).collect_view()}</ul>
            {proof.empty_steps.into_iter().map(|step| view! {
                <p class="proof-about" data-empty-step=step.to_string()>
                    {format!("Step {step} of the escalation reached nobody new.")}
                </p>
            }).collect_view()}
        </li>
    }
}

/// What there is to say of all recipients, where not all of them are listed.
fn summary(totals: &ProofTotals, listed: usize, must_acknowledge: bool) -> Option<String> {
    let listed = u64::try_from(listed).unwrap_or(u64::MAX);
    (listed < totals.sent).then(|| {
        let ProofTotals { sent, delivered, seen, read, acknowledged } = *totals;
        let mut states = vec![(delivered, "delivered"), (seen, "seen"), (read, "read")];
        if must_acknowledge {
            states.push((acknowledged, "acknowledged"));
        }
        let states: Vec<String> =
            states.into_iter().map(|(number, name)| format!("{} {name}", format::count(number))).collect();
        let (listed, sent) = (format::count(listed), format::count(sent));
        format!("{listed} of {sent} recipients are listed. Of all: {}.", states.join(", "))
    })
}

#[component]
fn Receipt(receipt: ProofReceipt, must_acknowledge: bool) -> impl IntoView {
    let ProofReceipt { recipient, step, sent_at, emailed_at, pushed_at, .. } = receipt;
    let states = [
        ("Delivered", receipt.delivered_at),
        ("Seen", receipt.seen_at),
        ("Read", receipt.read_at),
        ("Acknowledged", receipt.acknowledged_at),
    ];
    // Of what needs no acknowledging, none is missing.
    let missing = move |name: &str| match name {
        "Acknowledged" if !must_acknowledge => "not asked for",
        _ => "not yet",
    };
    let by = receipt.acknowledged_by_way.as_deref().map(by_way);
    let ways = [("e-mailed", emailed_at), ("pushed", pushed_at)];
    let sent = format!("sent {} {}", format::day(sent_at), format::clock(sent_at));
    view! {
        <li class="receipt" data-recipient=recipient.clone() data-step=step.to_string()>
            <div class="receipt-who">
                <span class="proof-name">{recipient.clone()}</span>
                <small>
                    {(step > 0).then(|| view! { <span class="tag" data-tone="warn">{format!("escalation, step {step}")}</span> " " })}
                    <time datetime=sent_at.to_string() class="tabular">{sent}</time>
                    {ways
                        .into_iter()
                        .filter_map(|(way, at)| at.map(|at| view! { {format!(" · {way} ")} <Clock at after=sent_at/> }))
                        .collect_view()}
                </small>
            </div>
            <dl class="receipt-states">
                {states.into_iter().map(|(name, at)| view! {
                    <div data-state=name.to_lowercase() data-reached=at.is_some().to_string()>
                        <dt><Icon name=if at.is_some() { IconName::Check } else { IconName::Hourglass }/>{name}</dt>
                        <dd>
                            {match at {
                                Some(at) => view! {
                                    <Clock at after=sent_at/>
                                    {by.clone().filter(|_| name == "Acknowledged").map(|by| view! { " " <small>{by}</small> })}
                                }
                                .into_any(),
                                None => view! { <span class="cell-faint">{missing(name)}</span> }.into_any(),
                            }}
                        </dd>
                    </div>
                }).collect_view()}
            </dl>
        </li>
    }
}

/// How people call the way by which somebody acknowledged.
fn by_way(way: &str) -> String {
    match way {
        "page" => "on a page".to_owned(),
        "api" => "by the API".to_owned(),
        "socketio" => "by Socket.IO".to_owned(),
        "embed" => "in a bell on another site".to_owned(),
        other => format!("by {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_of_how_many_it_lists_some() {
        let totals = ProofTotals { sent: 6_000, delivered: 5_990, seen: 80, read: 7, acknowledged: 1 };
        assert_eq!(
            summary(&totals, 200, true).as_deref(),
            Some(
                "200 of 6,000 recipients are listed. Of all: 5,990 delivered, 80 seen, 7 read, 1 acknowledged."
            )
        );
        assert_eq!(
            summary(&totals, 200, false).as_deref(),
            Some("200 of 6,000 recipients are listed. Of all: 5,990 delivered, 80 seen, 7 read.")
        );
        assert_eq!(summary(&totals, 6_000, true), None);
    }
}
