//! One record in the list.

use leptos::prelude::*;
use tidewatch_events::id::RecordId;
use tidewatch_modules::{Module, Record};

use super::bulk::{Chosen, FORM};
use crate::components::field_value::{cell_value, is_numeric};
use crate::components::{CopyableId, Icon, IconName, RelativeTime, StatusBadge};
use crate::contexts::project::use_project;
use crate::live::reduce::RecordList;

/// A row that follows its record. It stays the same element while the record changes, so that focus and
/// pointer stay where they are.
#[component]
pub(super) fn RecordRow(
    list: RwSignal<RecordList>,
    module: StoredValue<Module>,
    /// Where it can be ticked.
    chosen: Option<Chosen>,
    first: Record,
) -> impl IntoView {
    let id = first.id.clone();
    // A row that left the list is about to be taken off; until then it shows what it last was.
    let row = {
        let id = id.clone();
        Memo::new(move |before: Option<&Record>| {
            let now = list.with(|list| list.row(&id).cloned());
            now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
        })
    };
    let has_arrived = list.with_untracked(|list| list.has_arrived(&id));
    let is_leaving = {
        let id = id.clone();
        move || list.with(|list| list.row(&id).is_some_and(|row| list.is_leaving(row)))
    };
    let (path, columns, title_label, has_statuses) = module.with_value(|module| {
        let columns: Vec<_> = module.fields.iter().filter(|field| field.in_list).cloned().collect();
        let label =
            module.field(&module.title_field).map_or_else(String::new, |field| field.label.to_string());
        (format!("/{}/{id}", module.name), columns, label, module.statuses.len() > 1)
    });
    let (ticked, label) =
        (id.clone(), module.with_value(|module| row.with_untracked(|row| row.title(module))));
    let assignee =
        Memo::new(move |_| list.with(|list| row.with(|row| list.assignee_of(row).map(ToOwned::to_owned))));
    let title = move || module.with_value(|module| row.read().title(module));
    view! {
        <tr
            class="record-row"
            class:has-arrived=has_arrived
            class:is-leaving=is_leaving
            data-id=id.to_string()
            data-version=move || row.read().version.to_string()
            data-status=move || row.read().status.clone()
        >
            <th scope="row" data-label=title_label>
                {chosen.map(|chosen| view! { <Tick chosen id=ticked title=label/> })}
                <a class="row-link" href=use_project().href(&path)>{title}</a>
                <CopyableId id=id.to_string()/>
                {move || assignee.get().map(|name| view! {
                    <span class="row-assignee" data-assignee="">
                        <Icon name=IconName::People/><span class="visually-hidden">"Looked after by "</span>{name}
                    </span>
                })}
            </th>
            {has_statuses.then(|| view! {
                <td data-label="Status">{move || view! { <StatusBadge module status=row.read().status.clone()/> }}</td>
            })}
            {columns
                .into_iter()
                .map(|field| {
                    let (label, numeric) = (field.label.to_string(), is_numeric(&field.kind));
                    view! { <td data-label=label class:numeric=numeric>{move || cell_value(&field, &row.read())}</td> }
                })
                .collect_view()}
            <td data-label="Changed">{move || view! { <RelativeTime at=row.read().updated_at in_row=true/> }}</td>
        </tr>
    }
}

/// The box by which a record is chosen.
#[component]
fn Tick(chosen: Chosen, id: RecordId, title: String) -> impl IntoView {
    let (value, here) = (id.to_string(), id.clone());
    view! {
        <input
            type="checkbox"
            class="tick"
            name="ids[]"
            value=value
            form=FORM
            aria-label=format!("Choose {title}")
            prop:checked=move || chosen.0.read().contains(&here)
            on:change=move |event| chosen.set(&id, event_target_checked(&event))
        />
    }
}
