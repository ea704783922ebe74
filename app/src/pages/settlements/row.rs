//! One settlement in the list.

use leptos::either::Either;
use leptos::prelude::*;
use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_events::id::SettlementId;

use crate::components::{Amount, CopyableId, ProgressBar, RelativeTime, StatusBadge};
use crate::contexts::project::use_project;
use crate::live::reduce::SettlementList;
use crate::model::SettlementRow;

/// A row that follows its settlement. It stays the same element while the settlement changes, so
/// that focus and pointer stay where they are.
#[component]
pub fn SettlementTableRow(list: RwSignal<SettlementList>, first: SettlementRow) -> impl IntoView {
    let id: SettlementId = first.id;
    // A row that left the list is about to be taken off; until then it shows what it last was.
    let row = Memo::new(move |before: Option<&SettlementRow>| {
        let now = list.with(|list| list.row(id).cloned());
        now.or_else(|| before.cloned()).unwrap_or_else(|| first.clone())
    });
    let has_arrived = list.with_untracked(|list| list.has_arrived(id));
    let is_leaving = move || list.with(|list| list.row(id).is_some_and(|row| list.is_leaving(row)));
    let reference = row.with_untracked(|row| row.reference.clone());
    let (amount_minor, currency) = row.with_untracked(|row| (row.amount_minor, row.currency));
    view! {
        <tr
            class="settlement-row"
            class:has-arrived=has_arrived
            class:is-leaving=is_leaving
            data-id=id.to_string()
            data-version=move || row.read().version.to_string()
            data-status=move || row.read().status.as_str()
        >
            <th scope="row" data-label="Reference">
                <a class="row-link" href=use_project().href(&format!("/settlements/{id}"))>{reference}</a>
                <CopyableId id=id.to_string()/>
            </th>
            <td data-label="Status">
                {move || view! { <StatusBadge status=row.read().status/> }}
                {move || progress(&row.read())}
            </td>
            <td class="numeric" data-label="Amount"><Amount minor=amount_minor currency/></td>
            <td data-label="Network">
                {move || row.read().network.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string)}
            </td>
            <td data-label="Changed">{move || view! { <RelativeTime at=row.read().updated_at/> }}</td>
        </tr>
    }
}

fn progress(row: &SettlementRow) -> impl IntoView + use<> {
    if row.status == SettlementStatus::Confirming && row.required > 0 {
        Either::Left(
            view! { <ProgressBar label="Confirmations" done=row.confirmations.into() total=row.required.into()/> },
        )
    } else {
        Either::Right(())
    }
}
