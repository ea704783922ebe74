//! What the last checks of a server came to.

use leptos::prelude::*;
use tidewatch_events::Timestamp;

use crate::api::get_server_checks;
use crate::components::sparkline::Line;
use crate::components::{ErrorState, Icon, IconName, ReadFreshness, RelativeTime, WhileAllowed};
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::format;
use crate::live::reduce::Polled;
use crate::live::{Anchor, use_live};
use crate::model::{ServerCheck, Snapshot};

/// The module whose records are checked.
pub(super) const CHECKED: &str = "servers";

/// The checks as the page was loaded with them; `None` for what is not checked.
pub(super) type LastChecks = Resource<Result<Option<Snapshot<Vec<ServerCheck>>>, AppError>>;

/// The last checks of a server; nothing of other records. They come without events, and are read anew.
#[component]
pub(super) fn Checks(id: String, checks: LastChecks) -> impl IntoView {
    let id = StoredValue::new(id);
    view! {
        <Transition>
            {move || Suspend::new(async move {
                match checks.await {
                    Ok(Some(snapshot)) => view! { <LiveChecks id snapshot/> }.into_any(),
                    // The page says so of the record itself.
                    Ok(None) | Err(AppError::Forbidden { .. } | AppError::NotFound) => ().into_any(),
                    Err(error) => view! { <ErrorState error what="its checks"/> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn LiveChecks(id: StoredValue<String>, snapshot: Snapshot<Vec<ServerCheck>>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || get_server_checks(project.slug(), id.get_value()));
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let checks = Memo::new(move |_| state.with(|state| state.data().clone()));
    let is_empty = Memo::new(move |_| checks.read().is_empty());
    view! {
        <WhileAllowed live what="its checks">
            <section class="with-table checks" aria-labelledby="checks">
                <h2 id="checks">"Checks"</h2>
                <div class="record-state"><LastCheck checks/><ReadFreshness as_of/></div>
                <Show when=move || !is_empty.get()>
                    <Latencies checks/>
                    <Table checks/>
                </Show>
            </section>
        </WhileAllowed>
    }
}

/// When it was last looked at, and what came of it.
#[component]
fn LastCheck(checks: Memo<Vec<ServerCheck>>) -> impl IntoView {
    let last = Memo::new(move |_| checks.with(|checks| checks.first().cloned()));
    move || match last.get() {
        None => view! { <p class="hint">"It was not checked within the last 7 days."</p> }.into_any(),
        Some(check) => {
            let at = check.checked_at;
            view! {
                <p data-last-check=at.to_string()>"Last checked " <RelativeTime at/> ": " {outcome(&check)}</p>
            }
            .into_any()
        }
    }
}

/// How long the answers took, as a line. The numbers stand in the table below.
#[component]
fn Latencies(checks: Memo<Vec<ServerCheck>>) -> impl IntoView {
    let points = Memo::new(move |_| checks.with(|checks| points(checks)));
    let summary = Memo::new(move |_| checks.with(|checks| summary(checks)));
    view! {
        <figure class="sparkline">
            <Line label="How long answers took".to_owned() points summary/>
        </figure>
    }
}

#[component]
fn Table(checks: Memo<Vec<ServerCheck>>) -> impl IntoView {
    view! {
        <div class="table-wrap">
            <table class="table" data-checks=move || checks.read().len().to_string()>
                <caption class="visually-hidden">"The last checks, newest first"</caption>
                <thead><tr>
                    <th scope="col">"When"</th>
                    <th scope="col">"Came to"</th>
                    <th scope="col" class="numeric">"Took"</th>
                </tr></thead>
                <tbody>
                    <For each=move || checks.get() key=|check: &ServerCheck| check.checked_at let:check>
                        <tr class="plain-row" data-ok=check.ok.to_string()>
                            <th scope="row"><RelativeTime at=check.checked_at/></th>
                            <td data-label="Came to">
                                <Icon name={if check.ok { IconName::CheckCircle } else { IconName::Alert }}/>
                                " "
                                {if check.ok { "Answered".to_owned() } else { reason(&check) }}
                            </td>
                            <td class="numeric tabular" data-label="Took">{took(&check).unwrap_or_else(|| "–".to_owned())}</td>
                        </tr>
                    </For>
                </tbody>
            </table>
        </div>
    }
}

fn took(check: &ServerCheck) -> Option<String> {
    check.latency_ms.map(|latency| format!("{} ms", format::count(latency.unsigned_abs())))
}

fn reason(check: &ServerCheck) -> String {
    check.error.clone().unwrap_or_else(|| "no answer".to_owned())
}

/// What a check came to, in a sentence.
fn outcome(check: &ServerCheck) -> String {
    match (check.ok, took(check)) {
        (true, Some(took)) => format!("answered after {took}."),
        (true, None) => "answered.".to_owned(),
        (false, _) => format!("{}.", reason(check)),
    }
}

/// The answers from the oldest to the newest; one that did not come has no place in the line.
fn points(checks: &[ServerCheck]) -> Vec<(Timestamp, u32)> {
    let answer = |check: &ServerCheck| {
        let latency = check.latency_ms.filter(|_| check.ok)?;
        Some((check.checked_at, u32::try_from(latency).unwrap_or(u32::MAX)))
    };
    checks.iter().rev().filter_map(answer).collect()
}

fn summary(checks: &[ServerCheck]) -> String {
    let answers = points(checks);
    let failed = checks.iter().filter(|check| !check.ok).count();
    let times = answers.iter().map(|(_, latency)| *latency);
    let range = match (times.clone().min(), times.max()) {
        (Some(least), Some(most)) => {
            format!("{} to {} ms", format::count(least.into()), format::count(most.into()))
        }
        _ => "no answer".to_owned(),
    };
    let checks = checks.len();
    format!("{range} in the last {checks} checks, {failed} of which failed")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(second: i64, latency_ms: Option<i64>) -> ServerCheck {
        ServerCheck {
            checked_at: Timestamp::from_unix_millis(second * 1_000).expect("a time"),
            ok: latency_ms.is_some(),
            latency_ms,
            error: latency_ms.is_none().then(|| "cannot connect".to_owned()),
        }
    }

    #[test]
    fn tells_of_the_last_check() {
        assert_eq!(outcome(&check(2, Some(1_042))), "answered after 1,042 ms.");
        assert_eq!(outcome(&check(2, None)), "cannot connect.");
    }

    #[test]
    fn draws_answers_from_the_oldest_to_the_newest() {
        let checks = [check(3, Some(40)), check(2, None), check(1, Some(8))];
        let latencies: Vec<u32> = points(&checks).into_iter().map(|(_, latency)| latency).collect();
        assert_eq!(latencies, [8, 40]);
        assert_eq!(summary(&checks), "8 to 40 ms in the last 3 checks, 1 of which failed");
        assert_eq!(summary(&[check(1, None)]), "no answer in the last 1 checks, 1 of which failed");
    }
}
