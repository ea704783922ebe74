//! The table that follows events.

use leptos::prelude::*;
use tidewatch_modules::{Record, RecordQuery};

use super::bulk::{Bulk, Chosen, is_possible};
use super::row::RecordRow;
use super::scope::{Scope, order};
use crate::api::list_records;
use crate::components::field_value::is_numeric;
use crate::components::{EmptyState, Freshness, LiveTable, Pagination, SavedViews, WhileAllowed};
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::RecordList;
use crate::live::{Anchor, use_live};
use crate::model::{RecordPage, Snapshot, Total};

/// A page of records, live.
#[component]
pub(super) fn RecordsTable(scope: Scope, snapshot: Snapshot<RecordPage>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let as_of = snapshot.as_of;
    let for_many = is_possible(&snapshot.data.module, snapshot.data.may_act);
    let chosen = Chosen(RwSignal::default());
    let list = RwSignal::new(RecordList::new(snapshot));
    let project = use_project();
    let live =
        use_live(list, anchor, move || list_records(project.slug(), scope.name(), scope.query.get_value()));

    let is_later = scope.query.with_value(|query| query.after.is_some());
    let first = is_later.then(|| scope.with(|_| ()));
    let older = Memo::new(move |_| {
        list.with(RecordList::next).map(|after| scope.with(|query| query.after = Some(after)))
    });
    let is_empty = Memo::new(move |_| list.with(|list| list.visible().is_empty()));
    let total = Memo::new(move |_| list.with(RecordList::total));
    let (name, one) = scope.module.with_value(|module| (module.name.to_string(), module.one.to_string()));
    let what = StoredValue::new((name.clone(), one.clone()));
    view! {
        <WhileAllowed live what="these records">
        <div class="list-tools">
            {for_many.then(|| view! { <Bulk scope chosen total/> })}
            <SavedViews path=format!("/{name}") query=scope.asked()/>
        </div>
        <LiveTable list what=name.clone() freshness=move || view! { <Freshness as_of/> <TotalCount total what/> }>
            <Table list scope is_empty chosen=for_many.then_some(chosen)/>
            <Show when=move || is_empty.get()>
                <Nothing scope/>
            </Show>
        </LiveTable>
        <footer class="list-foot">
            <Pagination newest=first.clone() older/>
            <p class="exports" aria-label=format!("Export every {one} of this list")>
                <a class="button button-quiet button-small" href=scope.export("csv") rel="external" download="">"CSV"</a>
                <a class="button button-quiet button-small" href=scope.export("json") rel="external" download="">"JSON"</a>
            </p>
        </footer>
        </WhileAllowed>
    }
}

#[component]
fn Table(
    list: RwSignal<RecordList>,
    scope: Scope,
    is_empty: Memo<bool>,
    chosen: Option<Chosen>,
) -> impl IntoView {
    let (name, title, title_label, columns, has_statuses) = scope.module.with_value(|module| {
        let label =
            module.field(&module.title_field).map_or_else(String::new, |field| field.label.to_string());
        let columns: Vec<_> = module.fields.iter().filter(|field| field.in_list).cloned().collect();
        (module.name.to_string(), module.title.to_string(), label, columns, module.statuses.len() > 1)
    });
    let caption = format!("{title}, {}", order(scope.query.with_value(|query| query.sort)).to_lowercase());
    view! {
        <table class="table records" class:is-empty=move || is_empty.get() data-module=name>
            <caption class="visually-hidden">{caption}</caption>
            <thead>
                <tr>
                    <th scope="col">
                        {chosen.map(|chosen| view! { <TickAll list chosen/> })}
                        {title_label}
                    </th>
                    {has_statuses.then(|| view! { <th scope="col">"Status"</th> })}
                    {columns.into_iter().map(|field| view! {
                        <th scope="col" class:numeric=is_numeric(&field.kind)>{field.label.to_string()}</th>
                    }).collect_view()}
                    <th scope="col">"Changed"</th>
                </tr>
            </thead>
            <tbody>
                <For each=move || list.with(|list| list.visible().to_vec()) key=|row: &Record| row.id.clone() let:row>
                    <RecordRow list module=scope.module chosen first=row/>
                </For>
            </tbody>
        </table>
    }
}

/// The box that ticks every row of the page. Without JavaScript it could do nothing, and is not there.
#[component]
fn TickAll(list: RwSignal<RecordList>, chosen: Chosen) -> impl IntoView {
    let shown = move || list.with(|list| list.visible().iter().map(|row| row.id.clone()).collect::<Vec<_>>());
    let ticked = Memo::new(move |_| {
        let ids = shown();
        let count = ids.iter().filter(|id| chosen.0.read().contains(*id)).count();
        (count > 0, count == ids.len())
    });
    view! {
        <input
            type="checkbox"
            class="tick needs-scripting"
            aria-label="Choose all on this page"
            prop:checked=move || ticked.get() == (true, true)
            prop:indeterminate=move || ticked.get() == (true, false)
            on:change=move |event| chosen.set_all(shown(), event_target_checked(&event))
        />
    }
}

#[component]
fn TotalCount(total: Memo<Total>, what: StoredValue<(String, String)>) -> impl IntoView {
    let text = move || {
        let Total { count, estimated } = total.get();
        let about = if estimated { "about " } else { "" };
        let (many, one) = what.get_value();
        format!("{about}{} {}", format::count(count), if count == 1 { one } else { many })
    };
    view! { <span class="total" data-total="">{text}</span> }
}

#[component]
fn Nothing(scope: Scope) -> impl IntoView {
    let (name, one) = scope.module.with_value(|module| (module.name.to_string(), module.one.to_string()));
    if scope.query.with_value(RecordQuery::is_filtered) {
        let all = use_project().href(&format!("/{name}"));
        view! {
            <EmptyState title=format!("No {one} is like this now")>
                <p>"One that comes to be so appears by itself. " <a href=all>"Show all"</a></p>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            <EmptyState title=format!("No {name} yet")>
                <p>"Run the simulator, or make one by API; " <code>{format!("POST /api/v1/{name}")}</code> " says which fields it takes."</p>
                <p>"It appears here as soon as it is committed."</p>
            </EmptyState>
        }
        .into_any()
    }
}
