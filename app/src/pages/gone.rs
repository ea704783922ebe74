//! Something that is no longer there.

use leptos::prelude::*;
use leptos_meta::Title;

use super::NotFoundPage;
use crate::api::ChangeProject;
use crate::components::change_form::ChangeAnswer;
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;

/// The page of something that is not there. Who has just deleted it, by a form that no script sent, is told that it is
/// done and led on to the others; for everybody else there is nothing here.
#[component]
pub fn GonePage(
    /// What it was, such as `Webhook`.
    what: &'static str,
    /// What all of them are called, such as `Webhooks`.
    all: &'static str,
    /// Where they are.
    list: &'static str,
) -> impl IntoView {
    let action = use_form_action::<ChangeProject>();
    let is_deleted = action.value().with_untracked(|answer| matches!(answer, Some(Ok(_))));
    if !is_deleted {
        return view! { <NotFoundPage/> }.into_any();
    }
    view! {
        <Title text=what/>
        <div class="page">
            <h1>{what}</h1>
            <ChangeAnswer action/>
            <p><a class="button" href=use_project().href(list)>{all}</a></p>
        </div>
    }
    .into_any()
}
