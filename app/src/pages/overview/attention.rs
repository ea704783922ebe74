//! What needs a person.

use leptos::prelude::*;

use crate::components::{Amount, Icon, IconName, RelativeTime, StatusBadge};
use crate::contexts::project::use_project;
use crate::live::reduce::OverviewState;
use crate::model::SettlementRow;

/// Failed, held and stuck settlements, oldest first.
#[component]
pub fn Attention(state: RwSignal<OverviewState>) -> impl IntoView {
    let project = use_project();
    let rows = Memo::new(move |_| state.with(|state| state.overview().needs_attention.clone()));
    let is_empty = Memo::new(move |_| rows.read().is_empty());
    view! {
        <section class="card attention" aria-labelledby="attention" data-count=move || rows.read().len().to_string()>
            <h2 id="attention">"Needs a person"</h2>
            <Show when=move || is_empty.get()>
                <p class="all-well"><Icon name=IconName::CheckCircle/>"Nothing waits for you."</p>
            </Show>
            <ul class="attention-list">
                // A row that changes is another row: its key holds the version.
                <For each=move || rows.get() key=|row: &SettlementRow| (row.id, row.version) let:row>
                    <li data-id=row.id.to_string() data-status=row.status.as_str() data-version=row.version.to_string()>
                        <StatusBadge status=row.status/>
                        <a class="row-link" href=project.href(&format!("/settlements/{}", row.id))>{row.reference.clone()}</a>
                        <Amount minor=row.amount_minor currency=row.currency/>
                        <RelativeTime at=row.updated_at/>
                    </li>
                </For>
            </ul>
            <Show when=move || !is_empty.get()>
                <p class="card-foot">
                    <a href=project.href("/settlements?status=failed")>"All failed"</a> " · " <a href=project.href("/settlements?status=held")>"All held"</a>
                </p>
            </Show>
        </section>
    }
}
