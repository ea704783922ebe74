//! Who looks after a record.

use leptos::form::ActionForm;
use leptos::prelude::*;

use super::moves::{Target, TargetFields};
use crate::components::{Icon, IconName, SubmitButton};
use crate::live::reduce::DetailState;
use crate::model::RecordDetail;

/// Who it is, and a form that makes it somebody else.
#[component]
pub(super) fn Assignee(state: RwSignal<DetailState>, target: Target) -> impl IntoView {
    let action = target.action;
    let assignee = Memo::new(move |_| state.with(|state| state.detail().record.assignee));
    let people = Memo::new(move |_| state.with(|state| state.detail().people.clone()));
    let name = move || match assignee.get() {
        None => "Nobody looks after it".to_owned(),
        Some(person) => people.with(|people| {
            people
                .get(&person)
                .map_or_else(|| "Somebody who left".to_owned(), |name| format!("{name} looks after it"))
        }),
    };
    view! {
        <details class="disclosure assignee" data-assignee=move || assignee.get().map(|id| id.to_string()).unwrap_or_default()>
            <summary class="button"><Icon name=IconName::People/>{name}</summary>
            <div class="panel">
                <ActionForm action attr:class="form form-inline" attr:data-move="assign">
                    <TargetFields target name="assign"/>
                    <label class="field">
                        <span>"Looked after by"</span>
                        <select name="request[fields][assignee]">
                            <option value="" selected=move || assignee.get().is_none()>"Nobody"</option>
                            {move || people.get().into_iter().map(|(id, name)| view! {
                                <option value=id.to_string() selected=move || assignee.get() == Some(id)>{name}</option>
                            }).collect_view()}
                        </select>
                    </label>
                    <SubmitButton class="button" pending=action.pending()>"Assign"</SubmitButton>
                </ActionForm>
                <Show when=move || { people.read().len() >= RecordDetail::MAX_PEOPLE }>
                    <p class="hint">{format!("The first {} by name who may act on it; everybody else by API.", RecordDetail::MAX_PEOPLE)}</p>
                </Show>
            </div>
        </details>
    }
}
