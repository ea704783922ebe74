//! The table of connections.

use leptos::prelude::*;

use super::counts::Counts;
use super::filter::href;
use super::row::ConnectionRow;
use crate::api::list_connections;
use crate::components::change_form::ChangeAction;
use crate::components::{EmptyState, LiveTable, Pagination, ReadFreshness, WhileAllowed};
use crate::contexts::project::use_project;
use crate::live::reduce::PolledList;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{Connection, ConnectionPage, ConnectionQuery, ConnectionSort, Snapshot};

/// A page of connections, read anew every other second.
#[component]
pub(super) fn ConnectionTable(
    query: ConnectionQuery,
    snapshot: Snapshot<ConnectionPage>,
    action: ChangeAction,
) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let list = RwSignal::new(PolledList::new(snapshot));
    let project = use_project();
    let asked = query.clone();
    let live = use_live(list, anchor, move || list_connections(project.slug(), asked.clone()));
    refetch_after(action, live);

    let as_of = Memo::new(move |_| list.with(PolledList::as_of));
    let is_empty = Memo::new(move |_| list.with(|list| list.visible().is_empty()));
    let is_filtered = query.channel.is_some() || query.key.is_some() || query.q.is_some();
    let newest = query.after.as_ref().map(|_| project.href(&href(&query, None)));
    let sort = query.sort;
    let sorted = move |by: ConnectionSort| (by == sort).then_some("descending");
    let (first, further) = match sort {
        ConnectionSort::Newest => ("Back to newest", "Older"),
        ConnectionSort::Waiting | ConnectionSort::Rate => ("Back to the first", "More"),
    };
    let query = StoredValue::new(query);
    let older = Memo::new(move |_| {
        let next = list.with(|list| list.page().next.clone())?;
        Some(project.href(&query.with_value(|query| href(query, Some(&next)))))
    });
    view! {
        <WhileAllowed live what="the connections">
        <Counts list/>
        <LiveTable list what="connections" freshness=move || view! { <ReadFreshness as_of/> }>
            <table class="table connections" class:is-empty=move || is_empty.get()>
                <caption class="visually-hidden">"Connections"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Who"</th>
                        <th scope="col">"How"</th>
                        <th scope="col">"Where"</th>
                        <th scope="col">"Since"</th>
                        <th scope="col">"Channels"</th>
                        <th scope="col" class="numeric" aria-sort=sorted(ConnectionSort::Rate)>"Rate"</th>
                        <th scope="col" class="numeric" aria-sort=sorted(ConnectionSort::Waiting)>"Waiting"</th>
                        <td></td>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || list.with(|list| list.visible().to_vec()) key=|row: &Connection| row.id let:row>
                        <ConnectionRow list first=row action/>
                    </For>
                </tbody>
            </table>
            <Show when=move || is_empty.get()>
                <Nothing is_filtered/>
            </Show>
        </LiveTable>
        <Pagination newest=newest.clone() older first further/>
        </WhileAllowed>
    }
}

#[component]
fn Nothing(is_filtered: bool) -> impl IntoView {
    if is_filtered {
        view! {
            <EmptyState title="Nobody is connected that way now">
                <p>"Whoever comes appears by themselves. " <a href=use_project().href("/connections")>"Show all"</a></p>
            </EmptyState>
        }
        .into_any()
    } else {
        view! {
            <EmptyState title="Nobody is connected">
                <p>"Open a stream with an API key:"</p>
                <pre><code>{CURL}</code></pre>
            </EmptyState>
        }
        .into_any()
    }
}

const CURL: &str =
    "curl -N \"$TIDEWATCH_URL/api/v1/events/stream\" -H \"Authorization: Bearer $TIDEWATCH_API_KEY\"";
