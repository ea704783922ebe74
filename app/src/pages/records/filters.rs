//! What narrows and orders the list: all of it in the address.

use leptos::prelude::*;
use tidewatch_modules::{Assignee, Sort};

use super::scope::{Scope, order, unseen};
use crate::components::record_input::choice_label;
use crate::components::status_badge::icon_of;
use crate::components::{Icon, IconName, MoreFilters, TimeInput};
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;

/// Links by status, and a form for the rest. Both work without JavaScript.
#[component]
pub(super) fn Filters(scope: Scope) -> impl IntoView {
    view! {
        <StatusFilter scope/>
        <Search scope/>
    }
}

/// One link a status.
#[component]
fn StatusFilter(scope: Scope) -> impl IntoView {
    let chosen = scope.query.with_value(|query| query.status.clone());
    let statuses = scope.module.with_value(|module| module.statuses.clone());
    if statuses.len() < 2 {
        return None;
    }
    let link = move |name: Option<String>, icon: Option<IconName>, label: String| {
        let is_current = (chosen == name).then_some("true");
        let key = name.clone().unwrap_or_else(|| "all".to_owned());
        let href = scope.with(|query| query.status = name);
        view! {
            <li>
                <a class="chip" href=href aria-current=is_current data-filter=key>
                    {icon.map(|name| view! { <Icon name/> })}
                    {label}
                </a>
            </li>
        }
    };
    Some(view! {
        <nav class="filter" aria-label="Filter by status">
            <ul class="chips">
                {link(None, None, "All".to_owned())}
                {statuses
                    .into_iter()
                    .map(|status| link(Some(status.name.to_string()), Some(icon_of(status.tone)), status.label.to_string()))
                    .collect_view()}
            </ul>
        </nav>
    })
}

/// Words, fields, order.
#[component]
fn Search(scope: Scope) -> impl IntoView {
    let project = use_project();
    let query = scope.query.get_value();
    let (name, fields, has_amount) = scope.module.with_value(|module| {
        let fields: Vec<_> =
            module.fields.iter().filter(|field| !field.choices.is_empty()).cloned().collect();
        (module.name.to_string(), fields, module.amount_field.is_some())
    });
    let is_filtered = query.is_filtered() || query.sort != Sort::default();
    let chosen = query.fields.clone();
    let more_in_use = query.from.is_some() || query.to.is_some() || !chosen.is_empty();
    let more: Vec<_> = fields.iter().map(|field| &*field.label).chain(["Time"]).collect();
    let more = more.join(", ");
    let all = project.href(&format!("/{name}"));
    view! {
        <form method="get" action=format!("/{name}") class="form search" role="search">
            {(!project.slug().is_empty()).then(|| view! { <input type="hidden" name="project" value=project.slug()/> })}
            {unseen(&query).into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view()}
            <div class="form-inline">
                <label class="field field-wide">
                    <span>"Search"</span>
                    <input type="search" name="q" value=query.q.clone().unwrap_or_default() placeholder="Words or an id" autocomplete="off" data-search=""/>
                </label>
                <label class="field">
                    <span>"Order"</span>
                    <select name="sort">
                        {Sort::ALL
                            .into_iter()
                            .filter(|sort| has_amount || *sort != Sort::Amount)
                            .map(|sort| view! { <option value=sort.as_str() selected=query.sort == sort>{order(sort)}</option> })
                            .collect_view()}
                    </select>
                </label>
                <button class="button">"Apply"</button>
                {is_filtered.then(|| view! { <a class="button button-quiet" href=all>"Show all"</a> })}
                <LookedAfter scope/>
            </div>
            <MoreFilters by=more in_use=more_in_use>
                {fields
                    .into_iter()
                    .map(|field| {
                        let current = chosen.get(&*field.name).cloned().unwrap_or_default();
                        view! {
                            <label class="field">
                                <span>{field.label.to_string()}</span>
                                <select name=field.name.to_string()>
                                    <option value="" selected=current.is_empty()>"All"</option>
                                    {field.choices.into_iter().map(|choice| {
                                        let label = choice_label(&choice);
                                        let selected = current == choice;
                                        view! { <option value=choice.to_string() selected=selected>{label}</option> }
                                    }).collect_view()}
                                </select>
                            </label>
                        }
                    })
                    .collect_view()}
                <TimeInput name="from" label="Made from (UTC)" at=query.from/>
                <TimeInput name="to" label="Made before (UTC)" at=query.to/>
            </MoreFilters>
        </form>
    }
}

/// Those that the person at the screen looks after, and those that nobody does.
#[component]
fn LookedAfter(scope: Scope) -> impl IntoView {
    if scope.module.with_value(|module| module.moves.is_empty()) {
        return None;
    }
    let user = use_current_user();
    let chosen = scope.query.with_value(|query| query.assignee);
    let link = move |by: Assignee, key: &'static str, label: &'static str| {
        let is_on = chosen == Some(by);
        let href = scope.with(|query| query.assignee = (!is_on).then_some(by));
        view! { <a class="chip" href=href aria-current=is_on.then_some("true") data-filter=key>{label}</a> }
    };
    Some(view! {
        {link(Assignee::Nobody, "nobody", "Nobody's")}
        <Transition fallback=|| ()>
            {move || Suspend::new(async move {
                user.await.ok().map(|user| link(Assignee::Person(user.id), "mine", "Mine"))
            })}
        </Transition>
    })
}
