//! One move for many records of the list.

mod confirm;
mod impact;

use std::collections::BTreeSet;

use leptos::form::ActionForm;
use leptos::prelude::*;
use tidewatch_events::id::RecordId;
use tidewatch_modules::{Module, MoveRule};

use self::confirm::Confirm;
use self::impact::{button, use_impact, words};
use super::scope::Scope;
use crate::api::MoveRecords;
use crate::components::{Icon, IconName, RecordInput};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::format;
use crate::model::{BulkAnswer, BulkImpact, BulkStarted, Total};

/// The form that the boxes of rows belong to, wherever they stand.
pub(super) const FORM: &str = "bulk";

/// Which rows are chosen.
#[derive(Clone, Copy)]
pub(super) struct Chosen(pub(super) RwSignal<BTreeSet<RecordId>>);

impl Chosen {
    /// Ticks all of these, or none of them.
    pub(super) fn set_all(self, ids: impl IntoIterator<Item = RecordId>, on: bool) {
        self.0.update(|chosen| {
            for id in ids {
                if on {
                    chosen.insert(id);
                } else {
                    chosen.remove(&id);
                }
            }
        });
    }

    pub(super) fn set(self, id: &RecordId, on: bool) {
        self.set_all([id.clone()], on);
    }
}

/// Whether anything can be done to many at once.
pub(super) fn is_possible(module: &Module, may_act: bool) -> bool {
    may_act && module.moves.iter().any(is_for_many)
}

fn is_for_many(rule: &MoveRule) -> bool {
    rule.bulk && rule.label.is_some()
}

/// What the form's parts know of what is chosen in it.
#[derive(Clone, Copy)]
pub(super) struct Choice {
    pub(super) scope: Scope,
    pub(super) chosen: Chosen,
    /// The name of the move.
    pub(super) step: RwSignal<String>,
    /// Whether it is for all of the list.
    pub(super) all: RwSignal<bool>,
    pub(super) total: Memo<Total>,
}

impl Choice {
    /// The move that is chosen.
    fn rule(self) -> Option<MoveRule> {
        self.scope.module.with_value(|module| module.rule(&self.step.read()).cloned())
    }

    /// What the list asks for, as the server takes it.
    fn query(self) -> String {
        self.scope.query.with_value(|query| serde_json::to_string(query).unwrap_or_default())
    }

    /// Whether a second look is due before so much is done.
    fn wants_a_yes(self) -> bool {
        self.all.get() || self.rule().is_some_and(|rule| rule.asks_first())
    }

    /// Whether more are meant than can be moved at once.
    fn is_too_much(self) -> bool {
        self.all.get() && self.total.get().count > BulkImpact::MOST
    }
}

/// One form for all moves, which says for how many records each is. Without JavaScript the boxes say which, and the
/// count comes with the question whether it is to be done.
#[component]
pub(super) fn Bulk(scope: Scope, chosen: Chosen, total: Memo<Total>) -> impl IntoView {
    let action = use_form_action::<MoveRecords>();
    let answer = action.value();
    Effect::new(move |_| {
        if answer.with(|answer| matches!(answer, Some(Ok(BulkAnswer::Started(_))))) {
            chosen.0.update(BTreeSet::clear);
        }
    });
    let rules: Vec<MoveRule> = scope
        .module
        .with_value(|module| module.moves.iter().filter(|rule| is_for_many(rule)).cloned().collect());
    let first = rules.first().map(|rule| rule.name.to_string()).unwrap_or_default();
    let choice = Choice { scope, chosen, step: RwSignal::new(first), all: RwSignal::new(false), total };
    let impact = use_impact(choice);
    // A browser that runs scripts has shown the count already: what asks for no second look is done at once.
    let is_running = RwSignal::new(false);
    Effect::new(move |_| is_running.set(true));
    let is_settled = move || is_running.get() && !choice.wants_a_yes();
    // Open once there was an answer: who says "not now" goes on choosing.
    let is_open = Memo::new(move |before: Option<&bool>| {
        before.is_some_and(|open| *open) || answer.with(Option::is_some)
    });
    view! {
        <details class="disclosure bulk" open=is_open>
            <summary class="button button-small"><Icon name=IconName::Stack/>{move || called_by(chosen.0.read().len())}</summary>
            <div class="panel">
                <ActionForm action attr:id=FORM attr:class="form form-inline">
                    <input type="hidden" name="project" value=use_project().slug()/>
                    <input type="hidden" name="module" value=scope.name()/>
                    <input type="hidden" name="query" value=choice.query()/>
                    <Show when=is_settled><input type="hidden" name="confirmed" value="true"/></Show>
                    <Moves choice rules/>
                    <label class="check">
                        <input type="checkbox" name="all" value="true" on:change=move |event| choice.all.set(event_target_checked(&event))/>
                        <span>"Every one that the list shows, on all pages"</span>
                    </label>
                    <button
                        class="button button-primary"
                        disabled=move || action.pending().get() || choice.is_too_much()
                        data-impact=move || impact.get().map(|impact| impact.can.to_string())
                    >
                        {move || button(choice, impact.get())}
                    </button>
                </ActionForm>
                <p class="bulk-impact" aria-live="polite">{move || words(choice, impact.get())}</p>
                <p class="hint">
                    {format!("At most {} at once. ", format::count(BulkImpact::MOST))}
                    "Whatever cannot make the move when its turn comes is skipped; the automation says how many were."
                </p>
                {move || answer.get().map(|answer| view! { <Answer choice action answer/> })}
            </div>
        </details>
    }
}

/// What the button says that opens the form: that rows are ticked is seen while it is closed.
fn called_by(chosen: usize) -> String {
    match chosen {
        0 => "Move many at once".to_owned(),
        1 => "Move the one that is ticked".to_owned(),
        many => format!("Move the {} that are ticked", format::count(many as u64)),
    }
}

/// Which move, and the details that it needs: those of the one that is chosen are shown.
#[component]
fn Moves(choice: Choice, rules: Vec<MoveRule>) -> impl IntoView {
    let inputs: Vec<_> = rules
        .iter()
        .flat_map(|rule| {
            rule.inputs.iter().map(move |input| (rule.name.to_string(), input.clone().optional()))
        })
        .collect();
    view! {
        <label class="field">
            <span>"Move"</span>
            <select name="move" on:change=move |event| choice.step.set(event_target_value(&event))>
                {rules.into_iter().map(|rule| view! {
                    <option value=rule.name.to_string()>{rule.label.unwrap_or_default().to_string()}</option>
                }).collect_view()}
            </select>
        </label>
        {inputs.into_iter().map(|(of, input)| {
            let name = format!("fields[{}]", input.name);
            view! { <div class:is-other=move || *choice.step.read() != of><RecordInput input name/></div> }
        }).collect_view()}
    }
}

#[component]
fn Answer(
    choice: Choice,
    action: ServerAction<MoveRecords>,
    answer: Result<BulkAnswer, AppError>,
) -> impl IntoView {
    match answer {
        Ok(BulkAnswer::Asked(asked)) => view! { <Confirm choice action asked/> }.into_any(),
        Ok(BulkAnswer::Started(BulkStarted { automation, count })) => {
            let href = use_project().href(&format!("/automations/{automation}"));
            view! {
                <p class="alert" data-tone="good" role="status">
                    <Icon name=IconName::CheckCircle/>
                    <span>{format!("Moving {}. ", format::count(count))} <a href=href>"Watch how far it is"</a> "."</span>
                </p>
            }
            .into_any()
        }
        Err(error) => view! {
            <p class="alert" data-tone="bad" role="alert" data-error=error.name()>
                <Icon name=IconName::Alert/><span>{error.to_string()}</span>
            </p>
        }
        .into_any(),
    }
}
