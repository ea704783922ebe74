//! One settlement.

mod facts;
mod moves;
mod view;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use tidewatch_events::id::SettlementId;

use self::view::SettlementView;
use crate::api::get_settlement;
use crate::components::{ErrorState, Loading};
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::model::{SettlementDetail, Snapshot};
use crate::pages::NotFoundPage;
use crate::request;

/// One settlement with its history and what can be done.
#[component]
pub fn SettlementPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let project = use_project();
    let detail = Resource::new(move || id.get(), move |id| load(project.slug(), id));
    view! {
        <Transition fallback=|| view! { <Loading what="the settlement"/> }>
            {move || Suspend::new(async move {
                match detail.await {
                    Ok(snapshot) => Either::Left(view! { <SettlementView snapshot/> }),
                    Err(error) => Either::Right(view! { <Failure error/> }),
                }
            })}
        </Transition>
    }
}

async fn load(project: String, id: String) -> Result<Snapshot<SettlementDetail>, AppError> {
    let id: SettlementId = id.parse().map_err(|_| AppError::NotFound)?;
    get_settlement(project, id).await
}

#[component]
fn Failure(error: AppError) -> impl IntoView {
    if error == AppError::NotFound {
        return Either::Left(view! { <NotFoundPage/> });
    }
    if let AppError::Forbidden { .. } = error {
        request::set_status(403);
    }
    Either::Right(view! {
        <Title text="Settlement"/>
        <div class="page">
            <h1>"Settlement"</h1>
            <ErrorState error what="the settlement"/>
        </div>
    })
}
