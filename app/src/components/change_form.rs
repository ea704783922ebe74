//! Forms that change who may what, and what came of it.

use leptos::either::Either;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos_router::hooks::use_navigate;

use super::{CopyableId, Icon, IconName};
use crate::api::ChangeProject;
use crate::contexts::form_answer::on_answer;
use crate::contexts::project::use_project;
use crate::contexts::toasts::use_toasts;
use crate::error::AppError;
use crate::model::Changed;

/// The action behind all forms of a page.
pub type ChangeAction = ServerAction<ChangeProject>;

/// A form that sends one [`crate::model::ProjectChange`]. Works without JavaScript.
#[component]
pub fn ChangeForm(
    /// The page's action.
    action: ChangeAction,
    /// How its fields are laid out.
    #[prop(optional, into)]
    class: &'static str,
    /// For tests and styles: which change it is.
    name: &'static str,
    children: Children,
) -> impl IntoView {
    let class = if class.is_empty() { "form form-inline" } else { class };
    view! {
        <ActionForm action attr:class=class attr:data-change=name>
            <input type="hidden" name="project" value=use_project().slug()/>
            {children()}
        </ActionForm>
    }
}

/// A form that is one button.
#[component]
pub fn ChangeButton(
    /// The page's action.
    action: ChangeAction,
    /// Which change.
    name: &'static str,
    /// Its fields.
    fields: Vec<(&'static str, String)>,
    /// Whether it warns.
    #[prop(optional)]
    danger: bool,
    /// What it says.
    #[prop(into)]
    label: String,
) -> impl IntoView {
    let class = if danger { "button button-small button-danger" } else { "button button-small" };
    view! {
        <ChangeForm action name>
            {fields
                .into_iter()
                .map(|(field, value)| view! { <input type="hidden" name=format!("change[{name}][{field}]") value=value/> })
                .collect_view()}
            <button class=class disabled=move || action.pending().get()>{label}</button>
        </ChangeForm>
    }
}

/// What came of the last change: the message, and once the secret that goes with it.
#[component]
pub fn ChangeAnswer(
    /// The page's action.
    action: ChangeAction,
) -> impl IntoView {
    let answer = action.value();
    view! {
        <div class="change-answer" aria-live="polite">
            {move || answer.get().map(|answer| match answer {
                Ok(changed) => Either::Left(view! { <Made changed/> }),
                Err(error) => Either::Right(view! { <Refused error/> }),
            })}
        </div>
    }
}

/// The action of a form that deletes what the page is about. Where a script sends it, it leads on to `list`, with a toast
/// that says what was done; where none does, the page that follows is a [`crate::pages::GonePage`].
#[must_use]
pub fn use_deletion(list: &'static str) -> ChangeAction {
    let action = ChangeAction::new();
    let (toasts, project, navigate) = (use_toasts(), use_project(), use_navigate());
    on_answer(action, move |answer| match answer {
        Ok(changed) => {
            toasts.say(changed.message, None);
            navigate(&project.href(list), Default::default());
        }
        Err(error) => toasts.complain(error.to_string()),
    });
    action
}

#[component]
fn Made(changed: Changed) -> impl IntoView {
    let Changed { message, secret, .. } = changed;
    // An invitation is a path here; it is sent as a whole address, which the browser alone knows.
    let path = secret.as_ref().filter(|secret| secret.starts_with('/')).cloned();
    let origin = RwSignal::new(String::new());
    Effect::new(move |_| origin.set(window().location().origin().unwrap_or_default()));
    let is_path = path.is_some();
    let whole = move |secret: &str| {
        if is_path { format!("{}{secret}", origin.get()) } else { secret.to_owned() }
    };
    view! {
        <div class="alert" data-tone="good" role="status">
            <Icon name=IconName::CheckCircle/>
            <div>
                <p>{message}</p>
                {secret.map(|secret| view! {
                    <p class="secret" data-secret="">{move || view! { <CopyableId id=whole(&secret) whole=true/> }}</p>
                })}
                {path.map(|path| view! {
                    <p class="without-scripting"><a href=path rel="external">"The link itself"</a>": copy its address, and send that."</p>
                })}
            </div>
        </div>
    }
}

/// Why a form did nothing, with the field that is wrong where one is.
#[component]
pub fn Refused(
    /// Why.
    error: AppError,
) -> impl IntoView {
    let kind = error.name();
    let text = match error {
        AppError::Invalid { field, message } if !field.is_empty() => format!("{field}: {message}"),
        other => other.to_string(),
    };
    view! {
        <p class="alert" data-tone="bad" role="alert" data-error=kind>
            <Icon name=IconName::Alert/><span>{text}</span>
        </p>
    }
}
