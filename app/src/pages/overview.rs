//! The project at a glance.

mod attention;
mod feed;
mod numbers;
mod panels;
mod statuses;
mod view;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::components::Redirect;
use leptos_router::hooks::use_query_map;

use self::panels::read_range;
use self::view::OverviewView;
use crate::api::get_overview;
use crate::components::{ErrorState, Loading};
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;
use crate::error::AppError;
use crate::model::OVERVIEW;

/// What needs a person now, how it goes, and what just happened.
#[component]
pub fn OverviewPage() -> impl IntoView {
    let project = use_project();
    let params = use_query_map();
    let range = Memo::new(move |_| read_range(&params.read()));
    // Untracked: when only the range changes, what is on the screen stays, and the view reads the rest anew.
    let overview = Resource::new(|| (), move |()| get_overview(project.slug(), range.get_untracked()));
    view! {
        <Title text="Overview"/>
        <div class="page">
            <h1>"Overview"</h1>
            <Transition fallback=|| view! { <Loading what="the overview"/> }>
                {move || Suspend::new(async move {
                    match overview.await {
                        Ok(snapshot) => Either::Left(view! { <OverviewView snapshot range/> }),
                        Err(error) => Either::Right(view! { <Elsewhere error/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

/// Leads those on who may see something, and not this: a link brought them here without asking the server.
#[component]
fn Elsewhere(error: AppError) -> impl IntoView {
    let project = use_project();
    let user = use_current_user();
    let error = StoredValue::new(error);
    view! {
        <Transition>
            {move || Suspend::new(async move {
                let error = error.get_value();
                let home = user.await.map_or_else(|_| OVERVIEW.to_owned(), |user| user.home());
                if matches!(error, AppError::Forbidden { .. }) && home != OVERVIEW {
                    return Either::Left(view! { <Redirect path=project.href(&home)/> });
                }
                Either::Right(view! { <ErrorState error what="the overview"/> })
            })}
        </Transition>
    }
}
