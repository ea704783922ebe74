//! What can be done about a job.

use leptos::either::Either;
use leptos::prelude::*;

use crate::components::change_form::{AskFirst, ChangeAction, ChangeButton};
use crate::model::{Job, JobAction};

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
