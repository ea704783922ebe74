//! The last runs.

use leptos::either::Either;
use leptos::prelude::*;

use crate::components::{Badge, IconName, RelativeTime};
use crate::contexts::project::use_project;
use crate::format;
use crate::model::{WitnessOutcome, WitnessRun};

/// What a run came to.
#[component]
pub(super) fn WitnessBadge(outcome: Option<WitnessOutcome>) -> impl IntoView {
    let (tone, icon, status, text) = match outcome {
        None => ("active", IconName::Hourglass, "running", "Looking"),
        Some(WitnessOutcome::Clean) => ("good", IconName::CheckCircle, "clean", "Clean"),
        Some(WitnessOutcome::Drift) => ("bad", IconName::Alert, "drift", "Differences"),
        Some(WitnessOutcome::Failed) => ("warn", IconName::Cross, "failed", "Could not look"),
    };
    view! { <Badge tone icon status text/> }
}

/// The last runs, newest first.
#[component]
pub(super) fn Runs(runs: Memo<Vec<WitnessRun>>) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="runs">
            <h2 id="runs">"Last runs"</h2>
            <ul class="list" data-count=move || runs.with(Vec::len).to_string()>
                {move || runs.get().into_iter().map(|run| view! { <Run run/> }).collect_view()}
            </ul>
        </section>
    }
}

#[component]
fn Run(run: WitnessRun) -> impl IntoView {
    let project = use_project();
    let detail = match (&run.error, run.finished_at) {
        (Some(error), _) => error.clone(),
        (None, None) => "It goes on.".to_owned(),
        (None, Some(finished_at)) => format!(
            "{} records, {} events, {} differences in {}",
            format::count(run.records),
            format::count(run.events),
            format::count(run.drift_count),
            format::span(finished_at.millis_since(run.started_at)),
        ),
    };
    let automation = run.automation_id.map_or_else(
        || Either::Left("A run"),
        |id| Either::Right(view! { <a href=project.href(&format!("/automations/{id}"))>"A run"</a> }),
    );
    let outcome = run.outcome.map_or("running", WitnessOutcome::as_str);
    view! {
        <li class="list-item" data-id=run.id.to_string() data-outcome=outcome>
            <div class="list-main">
                <p class="list-title">{automation} " · " <RelativeTime at=run.started_at/></p>
                <p class="list-detail">{detail}</p>
            </div>
            <p class="list-side"><WitnessBadge outcome=run.outcome/></p>
        </li>
    }
}
