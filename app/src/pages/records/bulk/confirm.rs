//! The question before much is done, or before what is not easily taken back.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::Choice;
use super::impact::{called, can_make};
use crate::api::MoveRecords;
use crate::components::{Icon, IconName};
use crate::contexts::project::use_project;
use crate::format;
use crate::model::BulkAsked;

/// Names the count and asks for a yes.
#[component]
pub(super) fn Confirm(choice: Choice, action: ServerAction<MoveRecords>, asked: BulkAsked) -> impl IntoView {
    let BulkAsked { r#move: step, impact, ids, all, fields } = asked;
    let (rule, one, many) = choice
        .scope
        .module
        .with_value(|module| (module.rule(&step).cloned(), module.one.to_string(), module.name.to_string()));
    let (label, destructive) = rule.map_or_else(
        || (step.clone(), true),
        |rule| (rule.label.unwrap_or_default().to_string(), rule.destructive),
    );
    let class = if destructive { "button button-danger" } else { "button button-primary" };
    let yes = format!("Yes: {label}, {} {}", format::count(impact.can), called(impact.can, &one, &many));
    let says = can_make(&label, impact, &one, &many);
    view! {
        <div class="alert bulk-confirm" data-tone="warn" role="status" data-confirm=impact.can.to_string()>
            <Icon name=IconName::Alert/>
            <div>
                <p>
                    <strong>{says}</strong>
                    {(impact.can > 0).then_some(" Nothing is moved yet.")}
                </p>
                <ActionForm action attr:class="form form-inline">
                    <input type="hidden" name="project" value=use_project().slug()/>
                    <input type="hidden" name="module" value=many/>
                    <input type="hidden" name="query" value=choice.query()/>
                    <input type="hidden" name="move" value=step/>
                    <input type="hidden" name="confirmed" value="true"/>
                    {all.then(|| view! { <input type="hidden" name="all" value="true"/> })}
                    {ids.into_iter().map(|id| view! { <input type="hidden" name="ids[]" value=id/> }).collect_view()}
                    {fields.into_iter().map(|(name, value)| view! {
                        <input type="hidden" name=format!("fields[{name}]") value=value/>
                    }).collect_view()}
                    {(impact.can > 0).then(|| view! {
                        <button class=class disabled=move || action.pending().get()>{yes}</button>
                    })}
                    <a
                        class="button button-quiet"
                        href=choice.scope.here()
                        on:click=move |event| {
                            event.prevent_default();
                            action.value().set(None);
                        }
                    >
                        "Not now"
                    </a>
                </ActionForm>
            </div>
        </div>
    }
}
