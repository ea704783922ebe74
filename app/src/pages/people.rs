//! Who is in the project, and as what.

mod invite;
mod person;
mod roles;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;
use leptos_router::params::ParamsMap;

use self::invite::Invitations;
use self::person::PersonItem;
use self::roles::Roles;
use crate::address::with_parameters;
use crate::api::{ChangeProject, get_people};
use crate::components::change_form::{ChangeAction, ChangeAnswer};
use crate::components::error_state::encode;
use crate::components::{
    EmptyState, ErrorState, Loading, Pagination, ReadFreshness, TextFilter, WhileAllowed,
};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{CurrentUser, People, PeopleQuery, Snapshot};

/// People, invitations and roles.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let project = use_project();
    let user = use_current_user();
    let action = use_form_action::<ChangeProject>();
    let params = use_query_map();
    let query = Memo::new(move |_| read_query(&params.read()));
    let people = Resource::new(
        move || query.get(),
        move |query| async move { (query.clone(), get_people(project.slug(), query).await) },
    );
    view! {
        <Title text="People and roles"/>
        <div class="page">
            <h1>"People and roles"</h1>
            <ChangeAnswer action/>
            <Transition fallback=|| view! { <Loading what="the people"/> }>
                {move || Suspend::new(async move {
                    match (people.await, user.await) {
                        ((query, Ok(snapshot)), Ok(user)) => {
                            Either::Left(view! { <PeopleView query snapshot user action/> })
                        }
                        ((_, Err(error)), _) | (_, Err(error)) => {
                            Either::Right(view! { <ErrorState error what="the people"/> })
                        }
                    }
                })}
            </Transition>
        </div>
    }
}

fn read_query(params: &ParamsMap) -> PeopleQuery {
    let words = params.get("q").map(|words| words.trim().to_owned());
    PeopleQuery {
        q: words.filter(|words| !words.is_empty()),
        after: params.get("after").filter(|after| !after.is_empty()),
    }
}

fn href(query: &PeopleQuery, after: Option<&str>) -> String {
    with_parameters("/people", [("q", query.q.as_deref().map(encode)), ("after", after.map(encode))])
}

#[component]
fn PeopleView(
    query: PeopleQuery,
    snapshot: Snapshot<People>,
    user: CurrentUser,
    action: ChangeAction,
) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let permissions = StoredValue::new(snapshot.data.permissions.clone());
    // Of invitations and roles no event tells.
    let state = RwSignal::new(Polled::told_by(snapshot, "user."));
    let project = use_project();
    let asked = query.clone();
    let live = use_live(state, anchor, move || get_people(project.slug(), asked.clone()));
    refetch_after(action, live);
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let may_manage = user.may_manage("people.manage");
    let roles = Memo::new(move |_| state.with(|state| state.data().roles.clone()));
    let organizations = Memo::new(move |_| state.with(|state| state.data().organizations.clone()));
    let invitations = Memo::new(move |_| state.with(|state| state.data().invitations.clone()));
    let first = query.after.as_ref().map(|_| project.href(&href(&query, None)));
    let query = StoredValue::new(query);
    let further = Memo::new(move |_| {
        let next = state.with(|state| state.data().next.clone())?;
        Some(project.href(&query.with_value(|query| href(query, Some(&next)))))
    });
    // What can be chosen for a person belongs to their forms.
    let people = Memo::new(move |_| {
        let choices: Vec<String> = roles
            .read()
            .iter()
            .map(|role| role.title.clone())
            .chain(organizations.read().iter().map(|organization| organization.name.clone()))
            .collect();
        state.with(|state| {
            let people = state.data().people.iter();
            people.map(|person| (person.clone(), choices.clone())).collect::<Vec<_>>()
        })
    });
    let me = user.id;
    view! {
        <WhileAllowed live what="the people">
        <p class="page-meta"><ReadFreshness as_of/></p>
        {(!may_manage).then(|| view! {
            <p class="hint">"You can look, and change nothing: that takes the permission people.manage."</p>
        })}
        <section class="card" aria-labelledby="people">
            <h2 id="people">"People"</h2>
            <TextFilter path="/people" placeholder="A name, an address, a role"/>
            <Show when=move || people.read().is_empty()>
                <EmptyState title="Nobody is called that"><p>"Look for a part of a name, of an e-mail address or of a role."</p></EmptyState>
            </Show>
            <ul class="list" data-count=move || people.read().len().to_string()>
                // Whatever changes of one replaces that one alone: what is folded open elsewhere stays so.
                <For each=move || people.get() key=Clone::clone let((person, _))>
                    <PersonItem person me roles organizations may_manage action/>
                </For>
            </ul>
            <Pagination newest=first.clone() older=further first="Back to the first" further="More"/>
        </section>
        {may_manage.then(|| view! { <Invitations invitations roles organizations action/> })}
        <Roles roles permissions may_manage action/>
        </WhileAllowed>
    }
}
