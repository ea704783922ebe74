//! The list of settlements.

mod new_settlement;
mod row;
mod scope;
mod status_filter;
mod table;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use self::new_settlement::NewSettlementForm;
use self::scope::{href, read_query};
use self::status_filter::StatusFilter;
use self::table::SettlementsTable;
use crate::api::list_settlements;
use crate::components::{ErrorState, Loading};
use crate::contexts::project::use_project;

/// The list, newest first, by status and page as the address says.
#[component]
pub fn SettlementsPage() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| read_query(&params.read()));
    let project = use_project();
    let page = Resource::new(
        move || query.get(),
        move |query| async move { (query.clone(), list_settlements(project.slug(), query).await) },
    );
    view! {
        <Title text="Settlements"/>
        <div class="page">
            <h1>"Settlements"</h1>
            <NewSettlementForm/>
            <StatusFilter query/>
            <Transition fallback=|| view! { <Loading what="settlements"/> }>
                {move || Suspend::new(async move {
                    match page.await {
                        (query, Ok(snapshot)) => Either::Left(view! { <SettlementsTable query snapshot/> }),
                        (_, Err(error)) => Either::Right(view! { <ErrorState error what="the settlements"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}
