//! For how many records a move would be: asked of the server before anything is pressed.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::Choice;
use crate::api::count_moves;
use crate::contexts::project::use_project;
use crate::format;
use crate::model::BulkImpact;

/// Ticks that come within this time are asked about once.
const DEBOUNCE: Duration = Duration::from_millis(250);

/// The impact of what is chosen; `None` while nothing is, or while it is not known yet.
pub(super) fn use_impact(choice: Choice) -> RwSignal<Option<BulkImpact>> {
    let impact = RwSignal::new(None);
    let project = use_project();
    // What is on the screen belongs to the last question alone.
    let asked = StoredValue::new(0_u32);
    Effect::new(move |_| {
        let (all, step) = (choice.all.get(), choice.step.get());
        let ids: Vec<String> = choice.chosen.0.read().iter().map(ToString::to_string).collect();
        let number = asked.with_value(|number| number + 1);
        asked.set_value(number);
        if (!all && ids.is_empty()) || choice.is_too_much() {
            impact.set(None);
            return;
        }
        let ask = move || {
            spawn_local(async move {
                let (module, query) = (choice.scope.name(), choice.query());
                let ids = if all { Vec::new() } else { ids };
                let answer = count_moves(project.slug(), module, step, query, ids, all).await;
                // The page may have been left meanwhile.
                if asked.try_get_value() == Some(number) {
                    impact.set(answer.ok());
                }
            });
        };
        if let Ok(handle) = set_timeout_with_handle(ask, DEBOUNCE) {
            on_cleanup(move || handle.clear());
        }
    });
    impact
}

/// What the button says.
pub(super) fn button(choice: Choice, impact: Option<BulkImpact>) -> String {
    let label = choice.rule().and_then(|rule| rule.label).unwrap_or_default();
    let (one, many) = names(choice);
    let more = if choice.wants_a_yes() { "…" } else { "" };
    match impact {
        None => "Apply to those that are ticked…".to_owned(),
        Some(BulkImpact { can, .. }) => {
            format!("{label}: {} {}{more}", format::count(can), called(can, &one, &many))
        }
    }
}

/// What is said beside it.
pub(super) fn words(choice: Choice, impact: Option<BulkImpact>) -> Option<String> {
    let (one, many) = names(choice);
    if choice.is_too_much() {
        let total = choice.total.get();
        let about = if total.estimated { "about " } else { "" };
        return Some(format!(
            "The list has {about}{} {many}: narrow it first, at most {} can be moved at once.",
            format::count(total.count),
            format::count(BulkImpact::MOST)
        ));
    }
    let label = choice.rule().and_then(|rule| rule.label).unwrap_or_default();
    impact.map(|impact| can_make(&label, impact, &one, &many))
}

/// How many of how many can make a move.
pub(super) fn can_make(label: &str, BulkImpact { can, of }: BulkImpact, one: &str, many: &str) -> String {
    match (can, of) {
        (0, 0) => format!("No {one} is chosen."),
        (0, 1) => format!("This {one} cannot make the move “{label}” now."),
        (0, of) => format!("None of {} {many} can make the move “{label}” now.", format::count(of)),
        (can, of) => format!(
            "{} of {} {} can make the move “{label}”.",
            format::count(can),
            format::count(of),
            called(of, one, many)
        ),
    }
}

/// So many are called.
pub(super) fn called<'a>(count: u64, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

fn names(choice: Choice) -> (String, String) {
    choice.scope.module.with_value(|module| (module.one.to_string(), module.name.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_how_many_of_how_many() {
        let says = |can, of| can_make("Hold", BulkImpact { can, of }, "settlement", "settlements");
        assert_eq!(says(7, 12), "7 of 12 settlements can make the move “Hold”.");
        assert_eq!(says(1, 1), "1 of 1 settlement can make the move “Hold”.");
        assert_eq!(says(0, 12), "None of 12 settlements can make the move “Hold” now.");
        assert_eq!(says(0, 1), "This settlement cannot make the move “Hold” now.");
        assert_eq!(says(0, 0), "No settlement is chosen.");
    }
}
