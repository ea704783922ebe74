//! What can be done with a record now.

use leptos::either::Either;
use leptos::form::ActionForm;
use leptos::html;
use leptos::prelude::*;
use tidewatch_modules::MoveRule;

use super::assignee::Assignee;
use super::outcome::{RELEASE, stands, warning};
use super::second_person::{SecondPerson, is_mine};
use super::undo::tell_of_moves;
use crate::api::MoveRecord;
use crate::components::{Done, Icon, IconName, RecordInput, StatusBadge, SubmitButton};
use crate::contexts::form_answer::{on_answer, use_form_action};
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::live::Live;
use crate::live::reduce::DetailState;

/// What every form of the page sends along.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) action: ServerAction<MoveRecord>,
    pub(super) module: StoredValue<String>,
    pub(super) id: StoredValue<String>,
    /// The version on the screen: who acts on an older one is told what is there now.
    pub(super) version: Memo<i64>,
}

/// The hidden fields of a form that makes this move.
#[component]
pub(super) fn TargetFields(target: Target, #[prop(into)] name: String) -> impl IntoView {
    view! {
        <input type="hidden" name="project" value=use_project().slug()/>
        <input type="hidden" name="module" value=target.module.get_value()/>
        <input type="hidden" name="id" value=target.id.get_value()/>
        <input type="hidden" name="request[move]" value=name/>
        <input type="hidden" name="request[expectedVersion]" value=move || target.version.get().to_string()/>
    }
}

/// One form a move, and who looks after the record.
#[component]
pub(super) fn Moves(state: RwSignal<DetailState>, live: Live) -> impl IntoView {
    let action = use_form_action::<MoveRecord>();
    let answer = action.value();
    Effect::new(move |_| {
        if answer.with(Option::is_some) {
            live.refetch();
        }
    });
    let (module, id, act, has_moves) = state.with_untracked(|state| {
        let detail = state.detail();
        let module = &detail.module;
        (
            module.name.to_string(),
            detail.record.id.to_string(),
            module.act.to_string(),
            !module.moves.is_empty(),
        )
    });
    let target = Target {
        action,
        module: StoredValue::new(module),
        id: StoredValue::new(id),
        version: Memo::new(move |_| state.with(|state| state.detail().record.version)),
    };
    tell_of_moves(state, target, live);
    let section = NodeRef::<html::Section>::new();
    keep_focus(section, target);
    let moves = Memo::new(move |_| {
        state.with(|state| {
            let detail = state.detail();
            let offered = detail.module.moves_from(&detail.record.status);
            // Who asked for a release is not the second person who makes it.
            let is_mine = is_mine(state);
            let may = |rule: &&MoveRule| {
                detail.may_act && rule.label.is_some() && !(is_mine && rule.name == RELEASE)
            };
            offered.filter(may).cloned().collect::<Vec<_>>()
        })
    });
    let may_act = Memo::new(move |_| state.with(|state| state.detail().may_act));
    let error =
        move || answer.with(|answer| answer.as_ref().and_then(|answer| answer.as_ref().err().cloned()));
    // Without JavaScript there is no toast: what came of the form stands here.
    let posted = move || {
        let record = answer.with(|answer| answer.as_ref()?.as_ref().ok().cloned())?;
        let is_here = action.version().get() == 0;
        is_here.then(|| state.with_untracked(|state| stands(&state.detail().module, &record)))
    };
    if !has_moves {
        return None;
    }
    let act = StoredValue::new(act);
    Some(view! {
        <SecondPerson state/>
        <section class="moves" aria-label="Moves" tabindex="-1" node_ref=section>
            <For each=move || moves.get() key=|rule: &MoveRule| rule.name.clone() let:rule>
                <MoveForm rule state target/>
            </For>
            <Show when=move || may_act.get()><Assignee state target/></Show>
            <Show when=move || !may_act.get()>
                <p class="hint">"You can look, and change nothing: that takes the permission " {act.get_value()} "."</p>
            </Show>
            {move || error().map(|error| view! { <Refusal state error/> })}
            {move || posted().map(|text| view! { <Done text/> })}
        </section>
    })
}

/// A move that was made here takes its button away, and with it the focus: what can be done now has it instead.
fn keep_focus(section: NodeRef<html::Section>, target: Target) {
    // The answer and the event come in any order.
    let made = RwSignal::new(None::<i64>);
    on_answer(target.action, move |answer| made.set(answer.ok().map(|record| record.version)));
    Effect::new(move |_| {
        let version = target.version.get();
        if made.get().is_none_or(|made| version < made) {
            return;
        }
        made.set(None);
        request_animation_frame(move || {
            let lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
            if let Some(section) = section.get_untracked().filter(|_| lost) {
                let _ = section.focus();
            }
        });
    });
}

#[component]
fn MoveForm(rule: MoveRule, state: RwSignal<DetailState>, target: Target) -> impl IntoView {
    let needs_a_second_look = rule.asks_first() || !rule.inputs.is_empty();
    let MoveRule { name, label, inputs, destructive, irreversible, .. } = rule;
    let label = label.unwrap_or_default().to_string();
    let class = if destructive { "button button-danger" } else { "button" };
    let (name, button) = (name.to_string(), label.clone());
    let currency = Signal::derive(move || state.with(|state| state.detail().record.currency()));
    let warning = irreversible.then(|| {
        let label = label.clone();
        move || state.with(|state| warning(&state.detail().module, &label, &state.detail().record))
    });
    let data_move = name.clone();
    let action = target.action;
    let form = view! {
        <ActionForm action attr:class="form form-inline" attr:data-move=data_move>
            <TargetFields target name=name.clone()/>
            {inputs.into_iter().map(|input| {
                let name = format!("request[fields][{}]", input.name);
                view! { <RecordInput input name currency/> }
            }).collect_view()}
            <SubmitButton class pending=action.pending()>{button}</SubmitButton>
        </ActionForm>
    };
    if needs_a_second_look {
        Either::Left(view! {
            <details class="disclosure">
                <summary class=class>{label} "…"</summary>
                <div class="panel">
                    {warning.map(|warning| view! { <p class="move-warning">{warning}</p> })}
                    {form}
                </div>
            </details>
        })
    } else {
        Either::Right(form)
    }
}

#[component]
fn Refusal(state: RwSignal<DetailState>, error: AppError) -> impl IntoView {
    match error {
        AppError::Conflict { status, version, message } => {
            Either::Left(view! { <Conflict state status version message/> })
        }
        other => Either::Right(view! {
            <p class="alert" data-tone="bad" role="alert" data-error=other.name()>
                <Icon name=IconName::Alert/><span>{other.to_string()}</span>
            </p>
        }),
    }
}

#[component]
fn Conflict(state: RwSignal<DetailState>, status: String, version: i64, message: String) -> impl IntoView {
    let module = StoredValue::new(state.with_untracked(|state| state.detail().module.clone()));
    view! {
        <div class="alert" data-tone="warn" role="alert" data-error="conflict" data-current-version=version.to_string()>
            <Icon name=IconName::Alert/>
            <div>
                <p><strong>"Somebody was faster. "</strong>{message}</p>
                <p>"It now stands at " <StatusBadge module status/> ", version " {version} ". Nothing of yours was done: look again, then decide."</p>
            </div>
        </div>
    }
}
