//! The table that follows events.

use leptos::prelude::*;

use super::href;
use super::row::SettlementTableRow;
use crate::api::list_settlements;
use crate::components::{EmptyState, Freshness, LiveTable, Pagination, WhileAllowed};
use crate::contexts::project::use_project;
use crate::live::reduce::{ListScope, SettlementList};
use crate::live::{Anchor, use_live};
use crate::model::{SettlementPage, SettlementQuery, SettlementRow, Snapshot};

/// A page of settlements, live.
#[component]
pub fn SettlementsTable(query: SettlementQuery, snapshot: Snapshot<SettlementPage>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let as_of = snapshot.as_of;
    let list = RwSignal::new(SettlementList::new(ListScope::from(&query), snapshot.data));
    let project = use_project();
    let asked = query.clone();
    let live = use_live(list, anchor, move || list_settlements(project.slug(), asked.clone()));

    let status = query.status;
    let limit = query.limit;
    let newest = StoredValue::new(query.after.as_ref().map(|_| project.href(&href(status, None, limit))));
    let older = Memo::new(move |_| {
        list.with(SettlementList::next).map(|after| project.href(&href(status, Some(&after), limit)))
    });
    let is_empty = Memo::new(move |_| list.with(|list| list.visible().is_empty()));
    view! {
        <WhileAllowed live what="the settlements">
        <LiveTable list what="settlements" freshness=move || view! { <Freshness as_of/> }>
            <table class="table settlements" class:is-empty=move || is_empty.get()>
                <caption class="visually-hidden">"Settlements, newest first"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Reference"</th>
                        <th scope="col">"Status"</th>
                        <th scope="col" class="numeric">"Amount"</th>
                        <th scope="col">"Network"</th>
                        <th scope="col">"Changed"</th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || list.with(|list| list.visible().to_vec()) key=|row: &SettlementRow| row.id let:row>
                        <SettlementTableRow list first=row/>
                    </For>
                </tbody>
            </table>
            <Show when=move || is_empty.get()>
                <Nothing is_filtered=status.is_some()/>
            </Show>
        </LiveTable>
        <Pagination newest=newest.get_value() older/>
        </WhileAllowed>
    }
}

#[component]
fn Nothing(is_filtered: bool) -> impl IntoView {
    if is_filtered {
        view! {
            <EmptyState title="No settlement stands here now">
                <p>"One that comes to this status appears by itself. " <a href=use_project().href("/settlements")>"Show all"</a></p>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            <EmptyState title="No settlements yet">
                <p>"Run the simulator, or ask for one yourself with an API key:"</p>
                <pre><code>{CURL}</code></pre>
                <p>"It appears here as soon as it is committed."</p>
            </EmptyState>
        }
        .into_any()
    }
}

const CURL: &str = "curl -X POST \"$TIDEWATCH_URL/api/v1/settlements\" \\
  -H \"Authorization: Bearer $TIDEWATCH_API_KEY\" \\
  -H 'Content-Type: application/json' \\
  -d '{\"reference\":\"INV-1001\",\"amountMinor\":1248050,\"currency\":\"EUR\"}'";
