//! What can be done with a notification: forms that work without JavaScript, and toasts where it runs.

use std::sync::Arc;

use leptos::either::EitherOf3;
use leptos::form::ActionForm;
use leptos::prelude::*;
use leptos::task::spawn_local;
use tidewatch_events::id::NotificationId;

use crate::api::{MoveNotifications, move_notifications};
use crate::components::change_form::Refused;
use crate::components::{Done, Icon, IconName};
use crate::contexts::form_answer::on_answer;
use crate::contexts::notifications::use_notifications_done;
use crate::contexts::project::use_project;
use crate::contexts::toasts::use_toasts;
use crate::live::Live;
use crate::model::{NotificationStep, NotificationsMoved};

/// The action behind the forms of a page.
pub(super) type StepAction = ServerAction<MoveNotifications>;

/// A form that is one button.
#[component]
pub(super) fn StepForm(
    action: StepAction,
    id: NotificationId,
    /// What it does.
    #[prop(into)]
    step: Signal<NotificationStep>,
    /// Whether it is what is to be done here before all else.
    #[prop(optional)]
    primary: bool,
    /// Of which notification, for those who do not see where the button stands.
    #[prop(into)]
    title: String,
) -> impl IntoView {
    let class = if primary { "button button-primary" } else { "button button-small" };
    let label = move || format!("{}: {title}", label_of(step.get()));
    view! {
        <ActionForm action attr:class="step-form" attr:data-step=move || step.get().as_str()>
            <input type="hidden" name="project" value=use_project().slug()/>
            <input type="hidden" name="ids[]" value=id.to_string()/>
            <input type="hidden" name="step" value=move || step.get().as_str()/>
            // Not disabled while it works: it would lose the focus, and to do it twice does no harm.
            <button class=class aria-label=label>
                {move || view! { <Icon name=icon_of(step.get())/> }}
                {move || label_of(step.get())}
            </button>
        </ActionForm>
    }
}

const fn label_of(step: NotificationStep) -> &'static str {
    match step {
        NotificationStep::Read => "Mark read",
        NotificationStep::Unread => "Mark unread",
        NotificationStep::Acknowledge => "Acknowledge",
        NotificationStep::Archive => "Archive",
        NotificationStep::Unarchive => "Move to the inbox",
        NotificationStep::Deliver | NotificationStep::See => "Seen",
    }
}

const fn icon_of(step: NotificationStep) -> IconName {
    match step {
        NotificationStep::Read | NotificationStep::Deliver | NotificationStep::See => IconName::Check,
        NotificationStep::Unread => IconName::Mail,
        NotificationStep::Acknowledge => IconName::CheckCircle,
        NotificationStep::Archive => IconName::Archive,
        NotificationStep::Unarchive => IconName::Up,
    }
}

/// What came of a form that no script sent, with the way back. Where a script sent it, a toast says that.
#[component]
pub(super) fn StepAnswer(action: StepAction) -> impl IntoView {
    let answer = action.value();
    view! {
        <div class="change-answer" aria-live="polite">
            {move || match answer.get() {
                Some(Ok(moved)) if action.version().get_untracked() == 0 => {
                    EitherOf3::A(view! { <Moved action moved/> })
                }
                Some(Err(error)) if action.version().get_untracked() == 0 => EitherOf3::B(view! { <Refused error/> }),
                _ => EitherOf3::C(()),
            }}
        </div>
    }
}

#[component]
fn Moved(action: StepAction, moved: NotificationsMoved) -> impl IntoView {
    let undo = moved.undo();
    let way_back = undo.map(|step| {
        let ids =
            moved.ids.iter().map(ToString::to_string).collect::<Vec<_>>();
        view! {
            <ActionForm action attr:class="step-form" attr:data-undo=step.as_str()>
                <input type="hidden" name="project" value=use_project().slug()/>
                {ids.into_iter().map(|id| view! { <input type="hidden" name="ids[]" value=id/> }).collect_view()}
                <input type="hidden" name="step" value=step.as_str()/>
                <button class="button button-small">"Undo"</button>
            </ActionForm>
        }
    });
    moved.told().map(|text| view! { <Done text/> {way_back} })
}

/// Tells of each step that a script took here, by a toast that can take it back, and the bell that it counts anew.
/// `then` is what the page does of its own.
pub(super) fn tell_of_steps(
    action: StepAction,
    live: Live,
    then: impl Fn(&NotificationsMoved) + Send + Sync + 'static,
) {
    let (toasts, done, project) = (use_toasts(), use_notifications_done(), use_project());
    on_answer(action, move |answer| {
        done.tell();
        let moved = match answer {
            Ok(moved) => moved,
            Err(error) => {
                toasts.complain(error.to_string());
                return;
            }
        };
        then(&moved);
        let ids = moved.ids.clone();
        let undo = moved.undo().map(|step| {
            Arc::new(move || {
                let ids = ids.clone();
                spawn_local(async move {
                    match move_notifications(project.slug(), ids, step).await {
                        Ok(_) => toasts.say("Undone.", None),
                        Err(error) => toasts.complain(error.to_string()),
                    }
                    live.refetch();
                    done.tell();
                });
            }) as Arc<dyn Fn() + Send + Sync>
        });
        if let Some(text) = moved.told() {
            toasts.say(text, undo);
        }
    });
}
