//! What a toast says of a move, and how it takes it back.

use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use tidewatch_modules::Record;

use super::moves::Target;
use super::outcome::{ASSIGN, taken_back, told, way_back};
use crate::api::{MoveRecord, move_record};
use crate::contexts::project::use_project;
use crate::contexts::toasts::use_toasts;
use crate::live::Live;
use crate::live::reduce::DetailState;
use crate::model::MoveRequest;

/// Tells of each move that was made here, and offers the way back where the module has one.
pub(super) fn tell_of_moves(state: RwSignal<DetailState>, target: Target, live: Live) {
    let toasts = use_toasts();
    let project = use_project();
    let asked = StoredValue::new(None::<(MoveRecord, Record)>);
    Effect::new(move |_| {
        if let Some(input) = target.action.input().get() {
            let before = state.with_untracked(|state| state.detail().record.clone());
            asked.set_value(Some((input, before)));
        }
    });
    let made = target.action.value();
    Effect::new(move |_| {
        let Some(Ok(record)) = made.get() else { return };
        let Some((input, before)) = asked.try_update_value(Option::take).flatten() else { return };
        let module = state.with_untracked(|state| state.detail().module.clone());
        let rule = module.rule(&input.request.r#move);
        let text = told(&module, rule, &before, &record);
        let back = match rule {
            Some(rule) if rule.name == ASSIGN => Some(assigned_to(&before)),
            Some(rule) => way_back(&module, rule, &before)
                // Who makes a move may be another than who may take it back.
                .filter(|name| module.rule(name).is_some())
                .map(|name| (name, BTreeMap::new())),
            None => None,
        };
        let undo = back.map(|(name, fields)| {
            let request = MoveRequest { r#move: name, expected_version: record.version, fields };
            Arc::new(move || {
                let (module, id) = (target.module.get_value(), target.id.get_value());
                let (request, first, before) = (request.clone(), before.clone(), record.clone());
                spawn_local(async move {
                    let step = request.r#move.clone();
                    match move_record(project.slug(), module, id, request).await {
                        Ok(after) => toasts.say(undone(state, &step, &first, &before, &after), None),
                        Err(error) => toasts.complain(error.to_string()),
                    }
                    live.refetch();
                });
            }) as Arc<dyn Fn() + Send + Sync>
        });
        toasts.say(text, undo);
    });
}

/// What the way back has come to. The page may have been left meanwhile: then what was asked for is all there is to say.
fn undone(
    state: RwSignal<DetailState>,
    step: &str,
    first: &Record,
    before: &Record,
    after: &Record,
) -> String {
    let text = state.try_with_untracked(|state| {
        let module = &state.detail().module;
        taken_back(module, module.rule(step), first, before, after)
    });
    text.unwrap_or_else(|| format!("It stands at {} now.", after.status))
}

/// The assignment that there was.
fn assigned_to(before: &Record) -> (String, BTreeMap<String, String>) {
    let person = before.assignee.map(|person| person.to_string()).unwrap_or_default();
    (ASSIGN.to_owned(), BTreeMap::from([("assignee".to_owned(), person)]))
}
