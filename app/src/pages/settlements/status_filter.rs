//! Links that narrow the list.

use leptos::prelude::*;
use tidewatch_events::catalog::settlement::SettlementStatus;

use super::href;
use crate::components::Icon;
use crate::components::status_badge::icon_of;
use crate::contexts::project::use_project;
use crate::format;
use crate::model::SettlementQuery;

/// One link a status; the address holds which is chosen.
#[component]
pub fn StatusFilter(query: Memo<SettlementQuery>) -> impl IntoView {
    let project = use_project();
    let link = move |status: Option<SettlementStatus>| {
        let current = move || (query.read().status == status).then_some("true");
        let label = status.map_or("All", format::status);
        view! {
            <li>
                <a
                    class="chip"
                    href=move || project.href(&href(status, None, query.read().limit))
                    aria-current=current
                    data-filter=status.map_or("all", SettlementStatus::as_str)
                >
                    {status.map(|status| view! { <Icon name=icon_of(status)/> })}
                    {label}
                </a>
            </li>
        }
    };
    view! {
        <nav class="filter" aria-label="Filter by status">
            <ul class="chips">
                {link(None)}
                {SettlementStatus::ALL.map(|status| link(Some(status))).into_iter().collect_view()}
            </ul>
        </nav>
    }
}
