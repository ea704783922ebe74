//! Forms that change who may what, and what came of it.

use leptos::either::EitherOf3;
use leptos::form::ActionForm;
use leptos::html;
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

/// What is asked before a change that nothing takes back: a summary that opens to what the change does and to the button
/// that makes it. Works without JavaScript.
#[component]
pub fn AskFirst(
    /// What opens it, such as `Take back…`.
    #[prop(into)]
    label: Signal<String>,
    /// What happens then, as a sentence.
    #[prop(into)]
    what: String,
    /// Whether it opens to a line of its own in a list.
    #[prop(optional)]
    in_list: bool,
    /// Whether it warns.
    #[prop(optional)]
    danger: bool,
    /// The form that makes the change.
    children: Children,
) -> impl IntoView {
    let class = if in_list { "disclosure list-more" } else { "disclosure" };
    let button = if danger { "button button-small button-danger" } else { "button button-small" };
    view! {
        <details class=class>
            <summary class=button>{move || label.get()}</summary>
            <div class="panel">
                <p>{what}</p>
                {children()}
            </div>
        </details>
    }
}

/// Below this many pixels the head of a page, where answers stand, is in sight.
const HEAD_PX: f64 = 120.0;

/// What came of the last change. Where a script sent it, a toast says that it was done, wherever on the page that was; a
/// refusal stays here, and is a toast as well where this is out of sight. A secret is shown here once and brought into
/// sight. Without a script all of it is here.
#[component]
pub fn ChangeAnswer(
    /// The page's action.
    action: ChangeAction,
) -> impl IntoView {
    let answer = action.value();
    let toasts = use_toasts();
    on_answer(action, move |answer| match answer {
        Ok(Changed { secret: Some(_), .. }) => {}
        Ok(changed) => toasts.say(changed.message, None),
        Err(error) if window().scroll_y().unwrap_or_default() > HEAD_PX => toasts.complain(told(error)),
        Err(_) => {}
    });
    let is_by_script = move || action.version().get_untracked() > 0;
    view! {
        <div class="change-answer" aria-live="polite">
            {move || match answer.get() {
                Some(Ok(changed)) if changed.secret.is_some() || !is_by_script() => {
                    EitherOf3::A(view! { <Made changed/> })
                }
                Some(Err(error)) => EitherOf3::B(view! { <Refused error/> }),
                _ => EitherOf3::C(()),
            }}
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
    // It is shown once, at the head of the page: whoever asked for it further down has to see it.
    let answer = NodeRef::<html::Div>::new();
    let is_secret = secret.is_some();
    Effect::new(move |_| {
        if let Some(answer) = answer.get().filter(|_| is_secret) {
            answer.scroll_into_view();
        }
    });
    let whole = move |secret: &str| {
        if is_path { format!("{}{secret}", origin.get()) } else { secret.to_owned() }
    };
    view! {
        <div class="alert" data-tone="good" role="status" node_ref=answer>
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
    let text = told(error);
    view! {
        <p class="alert" data-tone="bad" role="alert" data-error=kind>
            <Icon name=IconName::Alert/><span>{text}</span>
        </p>
    }
}

/// A refusal in words, with the field that is wrong where one is.
fn told(error: AppError) -> String {
    match error {
        AppError::Invalid { field, message } if !field.is_empty() => format!("{field}: {message}"),
        other => other.to_string(),
    }
}
