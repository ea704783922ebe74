//! The explorer: every event of the project, live or as of a moment.

mod board;
pub mod curl;
mod filters;
pub mod parts;
mod row;
mod scope;
mod stream;

use leptos::either::{Either, EitherOf3};
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use self::filters::Filters;
use self::scope::{Scope, read_query};
use self::stream::EventStream;
use crate::api::search_events;
use crate::components::{ErrorState, Loading, SavedViews};
use crate::contexts::project::use_project;
use crate::error::AppError;
use crate::model::{EventQuery, WrongParameter};
use crate::request;

/// The project's events that the address asks for, newest first.
#[component]
pub fn EventsPage() -> impl IntoView {
    let params = use_query_map();
    let asked = Memo::new(move |_| read_query(&params.read()));
    let project = use_project();
    let page = Resource::new(
        move || asked.get(),
        move |asked| async move {
            match asked {
                Ok(query) => Ok(search_events(project.slug(), query).await),
                Err(wrong) => Err(wrong),
            }
        },
    );
    view! {
        <Title text="Events"/>
        <div class="page events">
            <h1>"Events"</h1>
            {move || {
                let wrong = asked.get().err().unwrap_or_default();
                view! { <Filters wrong/> }
            }}
            <Transition fallback=|| view! { <Loading what="the events"/> }>
                {move || Suspend::new(async move {
                    match page.await {
                        Ok(Ok(snapshot)) => {
                            let scope = Scope::new(snapshot.data.query.clone());
                            EitherOf3::A(view! {
                                <SavedViews path="/events" query=scope.asked()/>
                                <EventStream scope snapshot/>
                            })
                        }
                        Ok(Err(error)) => EitherOf3::B(view! { <Failure error/> }),
                        Err(wrong) => EitherOf3::C(view! { <Wrong wrong/> }),
                    }
                })}
            </Transition>
        </div>
    }
}

/// What cannot be asked for, each part by its name in the form.
#[component]
fn Wrong(wrong: Vec<WrongParameter>) -> impl IntoView {
    request::set_status(400);
    view! {
        <div class="error-state" role="alert" data-error="invalid">
            <div>
                <p class="error-title">"This cannot be searched for."</p>
                <ul>
                    {wrong
                        .into_iter()
                        .map(|wrong| {
                            let label = filters::label_of(&wrong.name);
                            view! { <li data-parameter=wrong.name><strong>{label}</strong> ": " {wrong.message}</li> }
                        })
                        .collect_view()}
                </ul>
            </div>
        </div>
    }
}

#[component]
fn Failure(error: AppError) -> impl IntoView {
    if let AppError::Unavailable { .. } = error {
        request::set_status(503);
    }
    let hint = matches!(error, AppError::Unavailable { .. }).then(|| {
        let all = use_project().href(&scope::address(&EventQuery::default()));
        view! { <p class="hint">"A narrower search is quicker. " <a href=all>"Show all events"</a></p> }
    });
    let hint = hint.map_or_else(|| Either::Right(()), Either::Left);
    view! {
        <ErrorState error what="the events"/>
        {hint}
    }
}
