//! One record.

mod assignee;
mod checks;
mod comments;
mod deliveries;
mod facts;
mod moves;
mod outcome;
mod second_person;
mod undo;
mod view;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use self::checks::CHECKED;
use self::view::RecordView;
use crate::api::{get_record, get_record_deliveries, get_record_notifications, get_server_checks};
use crate::components::Loading;
use crate::contexts::project::use_project;
use crate::pages::records::Failure;

/// One record with its history and what can be done.
#[component]
pub fn RecordPage() -> impl IntoView {
    let params = use_params_map();
    let asked = Memo::new(move |_| {
        let params = params.read();
        (params.get("module").unwrap_or_default(), params.get("id").unwrap_or_default())
    });
    let project = use_project();
    let detail =
        Resource::new(move || asked.get(), move |(module, id)| get_record(project.slug(), module, id));
    let proofs = Resource::new(
        move || asked.get(),
        move |(module, id)| get_record_deliveries(project.slug(), module, id),
    );
    let told = Resource::new(
        move || asked.get(),
        move |(module, id)| get_record_notifications(project.slug(), module, id),
    );
    let checks = Resource::new(
        move || asked.get(),
        move |(module, id)| async move {
            match module.as_str() {
                CHECKED => get_server_checks(project.slug(), id).await.map(Some),
                _ => Ok(None),
            }
        },
    );
    view! {
        <Transition fallback=|| view! { <Loading what="the record"/> }>
            {move || Suspend::new(async move {
                match detail.await {
                    Ok(snapshot) => Either::Left(view! { <RecordView snapshot proofs told checks/> }),
                    Err(error) => Either::Right(view! { <Failure error what="this record"/> }),
                }
            })}
        </Transition>
    }
}
