//! Who is connected, and how busy they are.

mod counts;
mod filter;
mod row;
mod table;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use self::filter::{Filter, asked, read_query};
use self::table::ConnectionTable;
use crate::api::{ChangeProject, list_connections};
use crate::components::change_form::ChangeAnswer;
use crate::components::{ErrorState, Loading, SavedViews};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;

/// The project's live connections on all instances, newest first.
#[component]
pub fn ConnectionsPage() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| read_query(&params.read()));
    let project = use_project();
    let action = use_form_action::<ChangeProject>();
    let page = Resource::new(
        move || query.get(),
        move |query| async move {
            match query {
                Ok(query) => list_connections(project.slug(), query.clone()).await.map(|page| (query, page)),
                Err(error) => Err(error),
            }
        },
    );
    view! {
        <Title text="Connections"/>
        <div class="page">
            <h1>"Connections"</h1>
            <ChangeAnswer action/>
            <Filter/>
            <Transition fallback=|| view! { <Loading what="the connections"/> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok((query, snapshot)) => Either::Left(view! {
                            <SavedViews path="/connections" query=asked(&query)/>
                            <ConnectionTable query snapshot action/>
                        }),
                        Err(error) => Either::Right(view! { <ErrorState error what="the connections"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}
