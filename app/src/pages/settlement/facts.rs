//! What is known of a settlement.

use leptos::either::Either;
use leptos::prelude::*;

use crate::components::{CopyableId, RelativeTime};
use crate::format;
use crate::live::reduce::DetailState;

/// The facts as a list of terms.
#[component]
pub fn Facts(state: RwSignal<DetailState>) -> impl IntoView {
    let detail = Memo::new(move |_| {
        state.with(|state| {
            let mut detail = state.detail().clone();
            // Neither is shown here; without them the facts change less often.
            detail.timeline.clear();
            detail.moves.clear();
            detail
        })
    });
    let row = move || detail.with(|detail| detail.settlement.clone());
    let gas = |units: Option<i64>| {
        units.map_or_else(|| "–".to_owned(), |units| format::count(units.unsigned_abs()))
    };
    let network = move || row().network.map_or_else(|| "–".to_owned(), |network| network.to_string());
    let transaction = move || match detail.read().tx_hash.clone() {
        Some(hash) => Either::Left(view! { <CopyableId id=hash/> }),
        None => Either::Right("–"),
    };
    view! {
        <dl class="facts">
            {move || detail.read().organization.clone().map(|name| view! { <div><dt>"Organization"</dt><dd>{name}</dd></div> })}
            <div><dt>"Network"</dt><dd>{network}</dd></div>
            <div><dt>"Transaction"</dt><dd>{transaction}</dd></div>
            <div><dt>"Gas, estimated"</dt><dd class="tabular">{move || gas(detail.read().gas_estimate)}</dd></div>
            <div><dt>"Gas, actual"</dt><dd class="tabular">{move || gas(detail.read().gas_actual)}</dd></div>
            <div><dt>"Version"</dt><dd class="tabular">{move || row().version}</dd></div>
            <div><dt>"Created"</dt><dd>{move || view! { <RelativeTime at=row().created_at/> }}</dd></div>
            <div><dt>"Changed"</dt><dd>{move || view! { <RelativeTime at=row().updated_at/> }}</dd></div>
        </dl>
    }
}
