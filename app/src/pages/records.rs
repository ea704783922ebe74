//! The list of a module's records.

mod bulk;
mod charts;
mod filters;
mod new_record;
mod row;
mod scope;
mod table;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::{use_params_map, use_query_map};

use self::charts::Charts;
use self::filters::Filters;
use self::new_record::NewRecord;
use self::scope::{Scope, read_query};
use self::table::RecordsTable;
use crate::api::list_records;
use crate::components::{ErrorState, Loading};
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::live::Anchor;
use crate::model::{RecordPage, Snapshot};
use crate::pages::NotFoundPage;

/// The list, as the address says.
#[component]
pub fn RecordsPage() -> impl IntoView {
    let path = use_params_map();
    let params = use_query_map();
    let asked =
        Memo::new(move |_| (path.read().get("module").unwrap_or_default(), read_query(&params.read())));
    let project = use_project();
    let page = Resource::new(
        move || asked.get(),
        move |(module, query)| async move { list_records(project.slug(), module, query).await },
    );
    view! {
        <Transition fallback=|| view! { <Loading what="the list"/> }>
            {move || Suspend::new(async move {
                match page.await {
                    Ok(snapshot) => Either::Left(view! { <List snapshot/> }),
                    Err(error) => Either::Right(view! { <Failure error/> }),
                }
            })}
        </Transition>
    }
}

#[component]
fn List(snapshot: Snapshot<RecordPage>) -> impl IntoView {
    let RecordPage { module, query, may_act, charts, .. } = snapshot.data.clone();
    let anchor = Anchor::from(&snapshot);
    let title = module.title.to_string();
    let can_create = may_act && module.new.is_some();
    let hint = (!may_act && module.new.is_some()).then(|| module.act.to_string());
    let scope = Scope::new(module, query);
    view! {
        <Title text=title.clone()/>
        <div class="page records" data-module=scope.name()>
            <h1>{title}</h1>
            {can_create.then(|| view! { <NewRecord module=scope.module/> })}
            {hint.map(|permission| view! {
                <p class="hint">"You can look, and make none yourself: that takes the permission " {permission} "."</p>
            })}
            {charts.map(|charts| view! { <Charts scope charts anchor/> })}
            <Filters scope/>
            <RecordsTable scope snapshot/>
        </div>
    }
}

/// What stands in the place of a module's page that cannot be shown.
#[component]
pub(super) fn Failure(
    error: AppError,
    /// What could not be shown; left out: the list.
    #[prop(optional, into)]
    what: Option<String>,
) -> impl IntoView {
    if error == AppError::NotFound {
        return Either::Left(view! { <NotFoundPage/> });
    }
    let name = use_params_map().read_untracked().get("module").unwrap_or_default();
    let title = tidewatch_modules::module::label_of(&name);
    Either::Right(view! {
        <Title text=title.clone()/>
        <div class="page">
            <h1>{title}</h1>
            <ErrorState error what=what.unwrap_or_else(|| format!("the {name}"))/>
        </div>
    })
}
