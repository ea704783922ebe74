//! The project at a glance.

mod attention;
mod feed;
mod numbers;
mod statuses;
mod view;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;

use self::view::OverviewView;
use crate::api::get_overview;
use crate::components::{ErrorState, Loading};
use crate::contexts::project::use_project;

/// What needs a person now, how it goes, and what just happened.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let project = use_project();
    let overview = Resource::new(|| (), move |()| get_overview(project.slug()));
    view! {
        <Title text="Overview"/>
        <div class="page">
            <h1>"Overview"</h1>
            <Transition fallback=|| view! { <Loading what="the overview"/> }>
                {move || Suspend::new(async move {
                    match overview.await {
                        Ok(snapshot) => Either::Left(view! { <OverviewView snapshot/> }),
                        Err(error) => Either::Right(view! { <ErrorState error what="the overview"/> }),
                    }
                })}
            </Transition>
        </div>
    }
}
