//! One connection in the list.

use leptos::prelude::*;
use tidewatch_events::id::ConnectionId;

use crate::components::change_form::{ChangeAction, ChangeButton};
use crate::components::error_state::encode;
use crate::components::{Badge, CopyableId, IconName, RelativeTime};
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::PolledList;
use crate::model::{Connection, ConnectionPage};

/// Channels that a row names; the others are counted.
const NAMED: usize = 2;

/// Icon and name of a way to be connected.
pub(super) fn kind_of(kind: &str) -> (IconName, &'static str) {
    match kind {
        "sse" => (IconName::Signal, "Event stream"),
        "socketio" => (IconName::Plug, "Socket.IO"),
        _ => (IconName::Retry, "Long poll"),
    }
}

/// A row that follows its connection.
#[component]
pub(super) fn ConnectionRow(
    list: RwSignal<PolledList<ConnectionPage>>,
    first: Connection,
    action: ChangeAction,
) -> impl IntoView {
    let id: ConnectionId = first.id;
    let row = Memo::new(move |before: Option<&Connection>| {
        let now = list.with(|list| list.row(&id).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    let is_leaving = Memo::new(move |_| list.with(|list| list.is_leaving(&id)) || row.read().ending);
    let (icon, kind) = kind_of(&row.read_untracked().kind);
    let constant = row.get_untracked();
    let (kind_name, client) = (constant.kind.clone(), constant.client.clone());
    let ending = Memo::new(move |_| row.read().ending);
    view! {
        <tr class="plain-row" class:is-leaving=is_leaving data-id=id.to_string() data-kind=kind_name>
            <th scope="row" data-label="Who">
                <span class="cell-title" title=constant.actor_name.clone()>{constant.actor_name.clone()}</span>
                <CopyableId id=constant.actor/>
            </th>
            <td data-label="How">
                <Badge tone="neutral" icon status=constant.kind text=kind/>
                <span class="cell-detail" title=client>{constant.client}</span>
            </td>
            <td data-label="Where">
                {constant.address.unwrap_or_else(|| "–".to_owned())}
                <span class="cell-detail" title="Instance">{constant.instance}</span>
            </td>
            <td data-label="Since"><RelativeTime at=constant.connected_at/></td>
            <td data-label="Channels">{move || view! { <ChannelNames names=row.read().channels.clone()/> }}</td>
            <td class="numeric" data-label="Rate">{move || rate(row.read().rate)}</td>
            <td class="numeric" data-label="Waiting" data-tone=move || waiting_tone(row.read().waiting)>
                {move || row.read().waiting.map_or_else(|| "–".to_owned(), format::count)}
            </td>
            <td class="cell-action">
                {move || if ending.get() {
                    view! { <span class="cell-detail">"Ending…"</span> }.into_any()
                } else {
                    view! {
                        <details class="disclosure">
                            <summary class="button button-small">"End…"</summary>
                            <ChangeButton action name="endConnection" fields=vec![("id", id.to_string())] danger=true label="End it now"/>
                        </details>
                    }
                    .into_any()
                }}
            </td>
        </tr>
    }
}

#[component]
fn ChannelNames(names: Vec<String>) -> impl IntoView {
    let project = use_project();
    if names.is_empty() {
        return view! { <span class="cell-faint">"all it may see"</span> }.into_any();
    }
    let more = names.len().saturating_sub(NAMED);
    let all = names.join(", ");
    view! {
        <span class="cell-list" title=all>
            {names
                .into_iter()
                .take(NAMED)
                .map(|name| {
                    let href = project.href(&format!("/channels?channel={}", encode(&name)));
                    view! { <a href=href>{name}</a> }
                })
                .collect_view()}
            {(more > 0).then(|| view! { <span class="cell-faint">{format!("+{more}")}</span> })}
        </span>
    }
    .into_any()
}

fn rate(rate: Option<f32>) -> String {
    rate.map_or_else(|| "–".to_owned(), |rate| format!("{rate:.1}/s"))
}

/// What waits a while for a moment is as it should be; a thousand are near the end of what may.
const fn waiting_tone(waiting: Option<u64>) -> &'static str {
    match waiting {
        Some(500..) => "bad",
        Some(50..) => "warn",
        _ => "plain",
    }
}
