//! The table of jobs.

use leptos::prelude::*;
use tidewatch_events::job::JobState;

use super::actions::ManyActions;
use super::filter::JobFilter;
use super::row::JobRow;
use super::scope::{self, href, in_state};
use crate::api::list_jobs;
use crate::components::change_form::ChangeAction;
use crate::components::job_badge::title_of;
use crate::components::{EmptyState, LiveTable, Pagination, ReadFreshness, SavedViews, WhileAllowed};
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::PolledList;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{Job, JobPage, JobQuery, Snapshot};

/// A page of jobs, read anew every other second.
#[component]
pub(super) fn JobTable(query: JobQuery, snapshot: Snapshot<JobPage>, action: ChangeAction) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let list = RwSignal::new(PolledList::new(snapshot));
    let project = use_project();
    let asked = query.clone();
    let live = use_live(list, anchor, move || list_jobs(project.slug(), asked.clone()));
    refetch_after(action, live);

    let as_of = Memo::new(move |_| list.with(PolledList::as_of));
    let is_empty = Memo::new(move |_| list.with(|list| list.visible().is_empty()));
    let is_filtered = query.state.is_some() || query.queue.is_some() || query.kind.is_some();
    let newest = query.after.map(|_| project.href(&href(&in_state(&query, query.state))));
    let asked = StoredValue::new(query);
    let older = Memo::new(move |_| {
        let after = list.with(|list| list.page().next)?;
        let query = JobQuery { after: Some(after), ..asked.get_value() };
        Some(project.href(&href(&query)))
    });
    view! {
        <WhileAllowed live what="the jobs">
        <StateFilter list query=asked.get_value()/>
        <JobFilter list query=asked.get_value()/>
        <div class="list-tools">
            <ManyActions list query=asked.get_value() action/>
            <SavedViews path="/jobs" query=asked.with_value(scope::asked)/>
        </div>
        <LiveTable list what="jobs" freshness=move || view! { <ReadFreshness as_of/> }>
            <table class="table jobs" class:is-empty=move || is_empty.get()>
                <caption class="visually-hidden">"Jobs, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Job"</th>
                        <th scope="col">"Queue"</th>
                        <th scope="col">"State"</th>
                        <th scope="col" class="numeric">"Attempt"</th>
                        <th scope="col">"When"</th>
                        <th scope="col">"Last failure"</th>
                        <td></td>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || list.with(|list| list.visible().to_vec()) key=|row: &Job| row.id let:row>
                        <JobRow list first=row action/>
                    </For>
                </tbody>
            </table>
            <Show when=move || is_empty.get()>
                <Nothing is_filtered/>
            </Show>
        </LiveTable>
        <Pagination newest=newest.clone() older/>
        </WhileAllowed>
    }
}

/// Links to the same list in each state, with how many there are.
#[component]
fn StateFilter(list: RwSignal<PolledList<JobPage>>, query: JobQuery) -> impl IntoView {
    let project = use_project();
    let chip = move |state: Option<JobState>| {
        let count = Memo::new(move |_| {
            list.with(|list| {
                let of_state =
                    list.page().counts.iter().filter(|count| state.is_none_or(|state| count.state == state));
                of_state.fold((0, false), |(sum, more), count| (sum + count.jobs, more || count.more))
            })
        });
        let text = move || {
            let (jobs, more) = count.get();
            format!("{}{}", format::count(jobs), if more { "+" } else { "" })
        };
        let href = project.href(&href(&in_state(&query, state)));
        let current = (query.state == state).then_some("true");
        let name = state.map_or("All", title_of);
        view! { <a class="chip" href=href aria-current=current>{name} " " <span class="tabular">{text}</span></a> }
    };
    view! {
        <nav class="chips" aria-label="State">
            {std::iter::once(None).chain(JobState::ALL.map(Some)).map(chip).collect_view()}
        </nav>
    }
}

#[component]
fn Nothing(is_filtered: bool) -> impl IntoView {
    if is_filtered {
        view! {
            <EmptyState title="No job is there now">
                <p>"One that comes there appears by itself. " <a href=use_project().href("/jobs")>"Show all"</a></p>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            <EmptyState title="No jobs yet">
                <p>"What is done behind requests appears here: keys that are revoked, webhooks that are sent."</p>
            </EmptyState>
        }
        .into_any()
    }
}
