//! What narrows the stream: a form that works without JavaScript, all of it in the address.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::components::time_input::read_time;
use crate::components::{MoreFilters, TimeInput};
use crate::contexts::project::use_project;
use crate::model::WrongParameter;

/// The fields: name in the address, label, example.
const FIELDS: [(&str, &str, &str); 9] = [
    ("q", "Text in the payload", "INV-42"),
    ("types", "Types", "settlement.*, payment.refunded"),
    ("resourceTypes", "Resource types", "Settlement, Payment"),
    ("resourceId", "Resource", "stl_…"),
    ("actor", "Actor", "user:usr_… or system:relay"),
    ("correlationId", "Correlation id", ""),
    ("from", "From (UTC)", ""),
    ("to", "Before (UTC)", ""),
    ("asOf", "As of (time or position)", "2026-01-31T12:00:00Z"),
];

/// Those of them that are times.
const TIMES: [&str; 2] = ["from", "to"];

/// What a parameter is called in the form.
pub(super) fn label_of(name: &str) -> String {
    let known = FIELDS.iter().find(|(field, ..)| *field == name);
    known.map_or(name, |(_, label, _)| label).to_owned()
}

/// The form. Fields that hold something wrong say what.
#[component]
pub(super) fn Filters(wrong: Vec<WrongParameter>) -> impl IntoView {
    // Rendered anew with each address.
    let params = use_query_map();
    let project = use_project();
    let value = move |name: &str| params.read_untracked().get(name).unwrap_or_default();
    let is_asked = move |name: &str| !value(name).trim().is_empty();
    // The rest is behind a summary until something of it is asked for.
    let rest_is_asked = FIELDS[2..].iter().any(|(name, ..)| is_asked(name));
    let any_is_asked = rest_is_asked || FIELDS.iter().any(|(name, ..)| is_asked(name));
    let field = move |(name, label, example): (&'static str, &'static str, &'static str)| {
        let message = wrong.iter().find(|wrong| wrong.name == name).map(|wrong| wrong.message.clone());
        let error_id = format!("wrong-{name}");
        let described = message.is_some().then(|| error_id.clone());
        if TIMES.contains(&name) {
            let said = value(name);
            let at = read_time(&said);
            let wrong = message.map(|message| (said, message));
            return Either::Left(view! { <TimeInput name label at wrong/> });
        }
        Either::Right(view! {
            <label class="field field-wide">
                <span>{label}</span>
                <input
                    type=if name == "q" { "search" } else { "text" }
                    name=name
                    value=value(name)
                    placeholder=example
                    autocomplete="off"
                    data-search=(name == "q").then_some("")
                    aria-invalid=message.is_some().then_some("true")
                    aria-describedby=described
                />
                {message.map(|message| view! { <span class="field-error" id=error_id>{message}</span> })}
            </label>
        })
    };
    let (first, rest) = FIELDS.split_at(2);
    let first = first.iter().copied().map(field.clone()).collect_view();
    let rest = rest.iter().copied().map(field).collect_view();
    view! {
        <form method="get" action="/events" class="form panel event-filters" role="search">
            {(!project.slug().is_empty()).then(|| view! { <input type="hidden" name="project" value=project.slug()/> })}
            <div class="form-inline">
                {first}
                <button class="button">"Search"</button>
                {any_is_asked.then(|| view! { <a class="button button-quiet" href=project.href("/events")>"Show all"</a> })}
            </div>
            <MoreFilters by="Resource, actor, correlation, time" in_use=rest_is_asked>{rest}</MoreFilters>
        </form>
    }
}
