//! One job in the list.

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::id::JobId;
use tidewatch_events::job::JobState;

use super::actions::JobActions;
use crate::components::change_form::ChangeAction;
use crate::components::{CopyableId, JobBadge, ProgressBar, RelativeTime};
use crate::contexts::project::use_project;
use crate::live::reduce::PolledList;
use crate::model::{Job, JobPage};

/// A row that follows its job.
#[component]
pub(super) fn JobRow(list: RwSignal<PolledList<JobPage>>, first: Job, action: ChangeAction) -> impl IntoView {
    let id: JobId = first.id;
    let row = Memo::new(move |before: Option<&Job>| {
        let now = list.with(|list| list.row(&id).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    let is_leaving = Memo::new(move |_| list.with(|list| list.is_leaving(&id)));
    let state = Memo::new(move |_| row.read().state);
    let constant = row.get_untracked();
    view! {
        <tr class="plain-row" class:is-leaving=is_leaving data-id=id.to_string() data-state=move || state.get().as_str()>
            <th scope="row" data-label="Job">
                <a class="row-link" href=use_project().href(&format!("/jobs/{id}"))>{constant.kind}</a>
                <CopyableId id=id.to_string()/>
            </th>
            <td data-label="Queue">{constant.queue}</td>
            <td data-label="State">
                {move || view! { <JobBadge state=state.get()/> }}
                {move || progress(&row.read())}
            </td>
            <td class="numeric" data-label="Attempt">
                {move || format!("{} of {}", row.read().attempt, row.read().max_attempts)}
            </td>
            <td data-label="When">{move || when(&row.read())}</td>
            <td data-label="Last failure">{move || failure(&row.read())}</td>
            <td class="cell-action">
                <JobActions job=row action/>
            </td>
        </tr>
    }
}

/// How far it is, by its own word.
pub(super) fn progress(job: &Job) -> impl IntoView + use<> {
    let progress =
        job.progress.clone().filter(|progress| job.state == JobState::Running && progress.total > 0);
    progress.map(|progress| view! { <ProgressBar label="Progress" done=progress.done total=progress.total/> })
}

/// The moment that says most about it now.
fn when(job: &Job) -> impl IntoView + use<> {
    let (word, at) = match (job.state, job.started_at, job.finished_at) {
        (_, _, Some(finished)) => ("ended ", finished),
        (JobState::Running, Some(started), None) => ("began ", started),
        (JobState::Scheduled, ..) => ("due ", job.run_at),
        _ => ("asked for ", job.created_at),
    };
    view! { <span class="cell-faint">{word}</span> <RelativeTime at in_row=true/> }
}

fn failure(job: &Job) -> impl IntoView + use<> {
    match job.errors.last().cloned() {
        Some(failure) => {
            let title = failure.message.clone();
            Either::Left(view! { <span class="cell-clip" title=title>{failure.message}</span> })
        }
        None => Either::Right(view! { <span class="cell-faint">"none"</span> }),
    }
}
