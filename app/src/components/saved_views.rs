//! Saved views of a page: links to what somebody looks at often, and a form for one more.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::{Done, Icon, IconName};
use crate::api::{ForgetView, SaveView};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;
use crate::model::SavedView;

/// The views that the person at the screen has saved of this page. Works without JavaScript.
#[component]
pub fn SavedViews(
    /// The page, such as `/settlements`.
    #[prop(into)]
    path: String,
    /// What its address asks for now, without the question mark.
    #[prop(into)]
    query: String,
) -> impl IntoView {
    let user = use_current_user();
    let save = use_form_action::<SaveView>();
    let forget = use_form_action::<ForgetView>();
    Effect::new(move |before: Option<(usize, usize)>| {
        let now = (save.version().get(), forget.version().get());
        if before.is_some_and(|before| before != now) {
            user.refetch();
        }
        now
    });
    let refusal = move || {
        let refused = |answer: Option<Result<(), _>>| answer.and_then(Result::err);
        refused(save.value().get()).or_else(|| refused(forget.value().get()))
    };
    // Without JavaScript nothing else says that something was done.
    let done = move || {
        let is_done = |version: usize, answer: Option<Result<(), _>>| version == 0 && answer == Some(Ok(()));
        match () {
            () if is_done(save.version().get(), save.value().get()) => Some("The view is saved."),
            () if is_done(forget.version().get(), forget.value().get()) => Some("The view is forgotten."),
            () => None,
        }
    };
    let page = StoredValue::new((path, query));
    view! {
        <div class="views">
            <Transition fallback=|| ()>
                {move || Suspend::new(async move {
                    let views = user.await.map(|user| user.views).unwrap_or_default();
                    let views = views.into_iter().filter(|view| page.with_value(|page| view.path == page.0));
                    let views: Vec<_> = views.map(|view| view! { <Saved view page forget/> }).collect();
                    (!views.is_empty()).then(|| view! { <ul class="chips" aria-label="Saved views">{views}</ul> })
                })}
            </Transition>
            <details class="disclosure">
                <summary class="button button-small button-quiet"><Icon name=IconName::Plus/>"Save this view"</summary>
                <div class="panel">
                    <ActionForm action=save attr:class="form form-inline" attr:data-save-view="">
                        <input type="hidden" name="project" value=use_project().slug()/>
                        <input type="hidden" name="path" value=page.with_value(|page| page.0.clone())/>
                        <input type="hidden" name="query" value=page.with_value(|page| page.1.clone())/>
                        <label class="field">
                            <span>"Name of the view"</span>
                            <input type="text" name="name" required=true maxlength="60" autocomplete="off"/>
                        </label>
                        <button class="button" disabled=move || save.pending().get()>"Save"</button>
                    </ActionForm>
                    <p class="hint">"It keeps what is filtered and how it is ordered. Only you see it, here and in the palette."</p>
                </div>
            </details>
            {move || done().map(|text| view! { <Done text/> })}
            {move || refusal().map(|error| view! {
                <p class="alert" data-tone="bad" role="alert" data-error=error.name()>
                    <Icon name=IconName::Alert/><span>{error.to_string()}</span>
                </p>
            })}
        </div>
    }
}

#[component]
fn Saved(
    view: SavedView,
    page: StoredValue<(String, String)>,
    forget: ServerAction<ForgetView>,
) -> impl IntoView {
    let project = use_project();
    let is_here = page.with_value(|page| view.query == page.1).then_some("true");
    let label = format!("Forget the view {}", view.name);
    view! {
        <li class="view-chip">
            <a class="chip" href=project.href(&view.address()) aria-current=is_here data-view=view.name.clone()>{view.name.clone()}</a>
            <ActionForm action=forget>
                <input type="hidden" name="project" value=project.slug()/>
                <input type="hidden" name="id" value=view.id.to_string()/>
                <button class="chip-remove" aria-label=label.clone() title=label><Icon name=IconName::Cross/></button>
            </ActionForm>
        </li>
    }
}
