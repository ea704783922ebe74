//! How many stand where.

use leptos::prelude::*;
use tidewatch_events::catalog::settlement::SettlementStatus;

use crate::components::StatusBadge;
use crate::contexts::project::use_project;
use crate::format;
use crate::live::reduce::OverviewState;

/// One line a status, with a bar for its share.
#[component]
pub fn Statuses(state: RwSignal<OverviewState>) -> impl IntoView {
    let project = use_project();
    let most = Memo::new(move |_| {
        state.with(|state| {
            SettlementStatus::ALL.into_iter().map(|status| state.count(status)).max().unwrap_or(0).max(1)
        })
    });
    let line = move |status: SettlementStatus| {
        let count = Memo::new(move |_| state.with(|state| state.count(status)));
        let share = move || format!("inline-size:{:.1}%", count.get() as f64 / most.get() as f64 * 100.0);
        view! {
            <li data-status=status.as_str() data-count=move || count.get().to_string()>
                <a href=project.href(&format!("/settlements?status={status}"))><StatusBadge status=status.as_str()/></a>
                <span class="bar" aria-hidden="true"><span class="bar-fill" style=share></span></span>
                <span class="tabular">{move || format::count(count.get())}</span>
            </li>
        }
    };
    view! {
        <section class="card" aria-labelledby="statuses">
            <h2 id="statuses">"By status"</h2>
            <ul class="statuses">{SettlementStatus::ALL.map(line).into_iter().collect_view()}</ul>
        </section>
    }
}
