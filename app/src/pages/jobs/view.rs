//! One job.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_params_map;
use serde_json::Value;
use tidewatch_events::id::{JobId, RecordId, WebhookDeliveryId};

use super::actions::JobActions;
use super::row::progress;
use crate::api::{ChangeProject, get_job};
use crate::components::change_form::ChangeAnswer;
use crate::components::{
    CopyableId, ErrorState, JobBadge, Json, Loading, ReadFreshness, RelativeTime, WhileAllowed,
};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::format;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{Job, Snapshot};
use crate::pages::NotFoundPage;

/// One job with its failures, and what can be done.
#[component]
pub fn JobPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.read().get("id").unwrap_or_default());
    let project = use_project();
    let job = Resource::new(move || id.get(), move |id| load(project.slug(), id));
    view! {
        <Transition fallback=|| view! { <Loading what="the job"/> }>
            {move || Suspend::new(async move {
                match job.await {
                    Ok(snapshot) => view! { <JobView snapshot/> }.into_any(),
                    Err(AppError::NotFound) => view! { <NotFoundPage/> }.into_any(),
                    Err(error) => view! {
                        <Title text="Job"/>
                        <div class="page"><h1>"Job"</h1><ErrorState error what="the job"/></div>
                    }
                    .into_any(),
                }
            })}
        </Transition>
    }
}

async fn load(project: String, id: String) -> Result<Snapshot<Job>, AppError> {
    let id: JobId = id.parse().map_err(|_| AppError::NotFound)?;
    get_job(project, id).await
}

#[component]
fn JobView(snapshot: Snapshot<Job>) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let first = snapshot.data.clone();
    let id = first.id;
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || get_job(project.slug(), id));
    let action = use_form_action::<ChangeProject>();
    refetch_after(action, live);

    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let job = Memo::new(move |_| state.with(|state| state.data().clone()));
    view! {
        <Title text=first.kind.clone()/>
        <WhileAllowed live what="this job">
        <article class="page job" data-id=id.to_string() data-state=move || job.read().state.as_str()>
            <p class="breadcrumb"><a href=project.href("/jobs")>"Jobs"</a></p>
            <header>
                <h1>{first.kind.clone()}</h1>
                <CopyableId id=id.to_string() whole=true/>
            </header>
            <div class="record-state">
                {move || view! { <JobBadge state=job.read().state/> }}
                {move || progress(&job.read())}
                <ReadFreshness as_of/>
            </div>
            <ChangeAnswer action/>
            <div class="button-row">
                <JobActions job action/>
            </div>
            <div class="columns">
                <section aria-labelledby="facts">
                    <h2 id="facts">"Facts"</h2>
                    <dl class="facts">
                        <div><dt>"Queue"</dt><dd>{first.queue.clone()}</dd></div>
                        <div><dt>"Priority"</dt><dd class="tabular">{first.priority}</dd></div>
                        <div><dt>"Attempt"</dt><dd class="tabular">{move || format!("{} of {}", job.read().attempt, job.read().max_attempts)}</dd></div>
                        <div><dt>"Worker"</dt><dd>{move || job.read().leased_by.clone().unwrap_or_else(|| "–".to_owned())}</dd></div>
                        <div><dt>"Asked for"</dt><dd><RelativeTime at=first.created_at/></dd></div>
                        <div><dt>"Due"</dt><dd>{move || view! { <RelativeTime at=job.read().run_at/> }}</dd></div>
                        <div><dt>"Last run began"</dt><dd>{move || time(job.read().started_at)}</dd></div>
                        <div><dt>"Ended"</dt><dd>{move || time(job.read().finished_at)}</dd></div>
                        {move || note(&job.read()).map(|note| view! { <div><dt>"It says"</dt><dd>{note}</dd></div> })}
                    </dl>
                    <About payload=first.payload.clone()/>
                    <h2>"With what"</h2>
                    <Json value=first.payload.clone()/>
                </section>
                <section aria-labelledby="failures">
                    <h2 id="failures">"Failures"</h2>
                    {move || view! { <Failures job=job.get()/> }}
                </section>
            </div>
        </article>
        </WhileAllowed>
    }
}

/// Links to what the job is about, by the ids in its payload.
#[component]
fn About(payload: Value) -> impl IntoView {
    let project = use_project();
    let ids = ids_in(&payload);
    (!ids.is_empty()).then(|| {
        view! {
            <h2>"About"</h2>
            <ul class="tags">
                {ids
                    .into_iter()
                    .map(|id| view! {
                        <li>
                            <a rel="external" href=project.href(&format!("/records/{id}"))>
                                <code>{format::short_id(&id.to_string())}</code>
                            </a>
                        </li>
                    })
                    .collect_view()}
            </ul>
        }
    })
}

/// The ids that a payload's fields hold. A delivery is on the page of its webhook, which its id does not name.
fn ids_in(payload: &Value) -> Vec<RecordId> {
    let fields = payload.as_object().into_iter().flat_map(|fields| fields.values());
    let ids = fields.filter_map(Value::as_str).filter_map(|text| text.parse::<RecordId>().ok());
    ids.filter(|id| id.prefix() != WebhookDeliveryId::PREFIX).collect()
}

fn time(at: Option<tidewatch_events::Timestamp>) -> impl IntoView {
    match at {
        Some(at) => Either::Left(view! { <RelativeTime at/> }),
        None => Either::Right("–"),
    }
}

fn note(job: &Job) -> Option<String> {
    job.progress.as_ref().map(|progress| progress.note.clone()).filter(|note| !note.is_empty())
}

/// The last failures, newest first.
#[component]
fn Failures(job: Job) -> impl IntoView {
    if job.errors.is_empty() {
        return Either::Left(view! { <p class="hint">"None so far."</p> });
    }
    Either::Right(view! {
        <ol class="list" aria-label="Failures, newest first">
            {job
                .errors
                .into_iter()
                .rev()
                .map(|failure| view! {
                    <li class="failure">
                        <p class="list-title">{format!("Attempt {}", failure.attempt)} " · " <RelativeTime at=failure.at/></p>
                        <p class="list-detail">{failure.message}</p>
                    </li>
                })
                .collect_view()}
        </ol>
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_job_is_about_what_its_payload_names() {
        let id = "ntf_01h455vb4pex5vsknk084sn02q";
        let delivery = "whd_01h455vb4pex5vsknk084sn02q";
        let payload = json!({ "notificationId": id, "deliveryId": delivery, "round": 1, "note": "late" });
        assert_eq!(ids_in(&payload).iter().map(ToString::to_string).collect::<Vec<_>>(), [id]);
        assert!(ids_in(&json!(null)).is_empty());
    }
}
