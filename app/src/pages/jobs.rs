//! What is done behind requests.

mod actions;
mod filter;
mod row;
mod scope;
mod table;
pub mod view;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use self::scope::read_query;
use self::table::JobTable;
use crate::api::{ChangeProject, list_jobs};
use crate::components::change_form::ChangeAnswer;
use crate::components::{ErrorState, Loading};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;

/// The project's jobs, newest first.
#[component]
pub fn JobsPage() -> impl IntoView {
    let params = use_query_map();
    let query = Memo::new(move |_| read_query(&params.read()));
    let project = use_project();
    let action = use_form_action::<ChangeProject>();
    let page = Resource::new(
        move || query.get(),
        move |query| async move { (query.clone(), list_jobs(project.slug(), query).await) },
    );
    view! {
        <Title text="Jobs"/>
        <div class="page">
            <h1>"Jobs"</h1>
            <ChangeAnswer action/>
            <Transition fallback=|| view! { <Loading what="the jobs"/> }>
                {move || Suspend::new(async move {
                    match page.await {
                        (query, Ok(snapshot)) => Either::Left(view! {
                            <JobTable query snapshot action/>
                        }),
                        (_, Err(error)) => Either::Right(view! { <ErrorState error what="the jobs"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}
