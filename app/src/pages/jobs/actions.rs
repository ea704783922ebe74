//! What can be done about a job.

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::job::JobState;

use crate::components::change_form::{AskFirst, ChangeAction, ChangeButton};
use crate::components::job_badge::title_of;
use crate::format;
use crate::live::reduce::PolledList;
use crate::model::{Job, JobAction, JobCount, JobPage, JobQuery};

/// A button for each thing that its reader can do about a job now. They stay the same elements as long as
/// that stays the same.
#[component]
pub(super) fn JobActions(job: Memo<Job>, action: ChangeAction) -> impl IntoView {
    let id = job.read_untracked().id.to_string();
    let actions = Memo::new(move |_| job.read().actions.clone());
    let button = move |wanted: JobAction| {
        let fields = vec![("id", id.clone())];
        match wanted {
            JobAction::Retry => {
                Either::Left(view! { <ChangeButton action name="retryJob" fields label="Do it again"/> })
            }
            JobAction::Cancel => Either::Right(view! {
                <AskFirst
                    label="Call off…"
                    what="Where it waits, it is not begun. Where it runs, it is told to stop, and may have done a part."
                    danger=true
                >
                    <ChangeButton action name="cancelJob" fields danger=true label="Call it off"/>
                </AskFirst>
            }),
        }
    };
    move || actions.get().into_iter().map(button.clone()).collect_view()
}

/// What can be done with all jobs that the list shows on all its pages, asked first. Nothing where the list is of several
/// states, of jobs that are done, or where its reader may do nothing.
#[component]
pub(super) fn ManyActions(
    list: RwSignal<PolledList<JobPage>>,
    query: JobQuery,
    action: ChangeAction,
) -> impl IntoView {
    let state = match query.state {
        Some(state) if state != JobState::Completed => state,
        _ => return None,
    };
    let (name, button) = match state.is_final() {
        true => ("retryJobs", "Do them again"),
        false => ("cancelJobs", "Call them off"),
    };
    let may_act =
        Memo::new(move |_| list.with(|list| list.page().jobs.iter().any(|job| !job.actions.is_empty())));
    let asked = query.clone();
    let label = Memo::new(move |_| {
        let jobs = list.with(|list| all_of(&list.page().counts, &asked));
        if state.is_final() { format!("Do {jobs} again…") } else { format!("Call {jobs} off…") }
    });
    let narrowed = [
        query.queue.as_deref().map(|queue| format!("of the queue {queue}")),
        query.kind.as_deref().map(|kind| format!("of the kind {kind}")),
    ];
    let narrowed = narrowed.into_iter().flatten().map(|part| format!(" {part}")).collect::<String>();
    let what = format!(
        "All{narrowed} that are “{}”, on all pages of this list, the newest first, up to 10,000. {}",
        title_of(state),
        match state.is_final() {
            true =>
                "Each begins as on its first day. What it has done already is done twice, where it does not look.",
            false => "What waits is not begun. What runs is told to stop, and may have done a part.",
        }
    );
    let fields = [("state", Some(state.to_string())), ("queue", query.queue), ("kind", query.kind)];
    let fields: Vec<_> = fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    let (what, fields) = (StoredValue::new(what), StoredValue::new(fields));
    Some(view! {
        <Show when=move || may_act.get()>
            <AskFirst label=label what=what.get_value() danger=true>
                <ChangeButton action name fields=fields.get_value() danger=true label=button/>
            </AskFirst>
        </Show>
    })
}

/// How many jobs of one state a list shows, as far as they are counted: of kinds they are not.
fn all_of(counts: &[JobCount], query: &JobQuery) -> String {
    if let Some(kind) = &query.kind {
        return format!("all of {kind}");
    }
    let of_query = counts.iter().filter(|count| {
        query.state.is_none_or(|state| count.state == state)
            && query.queue.as_ref().is_none_or(|queue| count.queue == *queue)
    });
    let (jobs, more) = of_query.fold((0, false), |(sum, more), count| (sum + count.jobs, more || count.more));
    format!("{}{}", format::count(jobs), if more { "+" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_what_the_list_shows() {
        let count = |state, queue: &str, jobs, more| JobCount { state, queue: queue.to_owned(), jobs, more };
        let counts = [
            count(JobState::Dead, "mail", 4_000, false),
            count(JobState::Dead, "webhooks", 7_000, true),
            count(JobState::Waiting, "mail", 3, false),
        ];
        let dead = JobQuery { state: Some(JobState::Dead), ..JobQuery::default() };
        let mail = JobQuery { queue: Some("mail".to_owned()), ..dead.clone() };
        let kind = JobQuery { kind: Some("mail.digest".to_owned()), ..dead.clone() };
        assert_eq!(all_of(&counts, &mail), format::count(4_000));
        assert_eq!(all_of(&counts, &dead), format!("{}+", format::count(11_000)));
        assert_eq!(all_of(&counts, &kind), "all of mail.digest");
    }
}
