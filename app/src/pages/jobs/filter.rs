//! A form for queue, kind and state.

use leptos::prelude::*;
use tidewatch_events::job::JobState;

use crate::components::job_badge::title_of;
use crate::contexts::project::use_project;
use crate::live::reduce::PolledList;
use crate::model::{JobPage, JobQuery};

/// What narrows the list, as a form: it works without JavaScript, and all of it stands in the address.
#[component]
pub(super) fn JobFilter(list: RwSignal<PolledList<JobPage>>, query: JobQuery) -> impl IntoView {
    let project = use_project();
    let is_filtered = query.state.is_some() || query.queue.is_some() || query.kind.is_some();
    let (state, queue) = (query.state, query.queue.clone());
    // Those with jobs in them, and the one that is asked for.
    let queues = list.with_untracked(|list| {
        let known = list.page().counts.iter().map(|count| count.queue.clone());
        known.chain(queue.clone()).collect::<std::collections::BTreeSet<_>>()
    });
    view! {
        <form method="get" action="/jobs" class="form form-inline search" role="search">
            {(!project.slug().is_empty()).then(|| view! { <input type="hidden" name="project" value=project.slug()/> })}
            <label class="field">
                <span>"Queue"</span>
                <select name="queue">
                    <option value="" selected=queue.is_none()>"All"</option>
                    {queues.into_iter().map(|name| {
                        let selected = queue.as_ref() == Some(&name);
                        view! { <option value=name.clone() selected=selected>{name.clone()}</option> }
                    }).collect_view()}
                </select>
            </label>
            <label class="field">
                <span>"Kind"</span>
                <input type="text" name="kind" value=query.kind.unwrap_or_default() placeholder="webhook.deliver" autocomplete="off" data-search=""/>
            </label>
            <label class="field">
                <span>"State"</span>
                <select name="state">
                    <option value="" selected=state.is_none()>"All"</option>
                    {JobState::ALL.map(|one| view! {
                        <option value=one.as_str() selected=state == Some(one)>{title_of(one)}</option>
                    }).into_iter().collect_view()}
                </select>
            </label>
            <button class="button">"Apply"</button>
            {is_filtered.then(|| view! { <a class="button button-quiet" href=project.href("/jobs")>"Show all"</a> })}
        </form>
    }
}
