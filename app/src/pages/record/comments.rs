//! What people wrote about a record.

use leptos::form::ActionForm;
use leptos::prelude::*;

use crate::api::CommentOnRecord;
use crate::components::{Done, Icon, IconName, RelativeTime};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::names::person_called;
use crate::contexts::project::use_project;
use crate::live::reduce::DetailState;
use crate::model::Comment;

/// The comments, oldest first, and a form for another.
#[component]
pub(super) fn Comments(state: RwSignal<DetailState>) -> impl IntoView {
    let action = use_form_action::<CommentOnRecord>();
    let answer = action.value();
    let comments = Memo::new(move |_| state.with(|state| state.detail().comments.clone()));
    let (module, id, may_act) = state.with_untracked(|state| {
        let detail = state.detail();
        (detail.module.name.to_string(), detail.record.id.to_string(), detail.may_act)
    });
    let input = NodeRef::<leptos::html::Textarea>::new();
    Effect::new(move |_| {
        if answer.with(|answer| matches!(answer, Some(Ok(()))))
            && let Some(input) = input.get_untracked()
        {
            input.set_value("");
        }
    });
    let is_empty = Memo::new(move |_| comments.read().is_empty());
    view! {
        <section class="comments" aria-labelledby="comments">
            <h2 id="comments">"Comments"</h2>
            <Show when=move || is_empty.get()><p class="hint">"Nobody wrote anything yet."</p></Show>
            <ol class="comment-list">
                <For each=move || comments.get() key=|comment: &Comment| comment.id let:comment>
                    <li class="comment" data-id=comment.id.to_string()>
                        <p class="comment-text">{comment.text}</p>
                        <p class="timeline-meta">{move || person_called(&comment.actor)} " · " <RelativeTime at=comment.created_at/></p>
                    </li>
                </For>
            </ol>
            {may_act.then(|| view! {
                <ActionForm action attr:class="form" attr:data-comment="">
                    <input type="hidden" name="project" value=use_project().slug()/>
                    <input type="hidden" name="module" value=module/>
                    <input type="hidden" name="id" value=id/>
                    <label class="field field-wide">
                        <span>"Write a comment"</span>
                        <textarea name="text" rows="2" required=true maxlength="4000" node_ref=input></textarea>
                    </label>
                    <button class="button" disabled=move || action.pending().get()>"Comment"</button>
                </ActionForm>
            })}
            // Without JavaScript the form says so by itself.
            {move || (action.version().get() == 0 && answer.get() == Some(Ok(()))).then(|| view! { <Done text="Your comment is there."/> })}
            {move || answer.get().and_then(Result::err).map(|error| view! {
                <p class="alert" data-tone="bad" role="alert" data-error=error.name()>
                    <Icon name=IconName::Alert/><span>{error.to_string()}</span>
                </p>
            })}
        </section>
    }
}
