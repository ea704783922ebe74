//! Who is in the project, and as what.

mod invite;
mod person;
mod roles;

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;

use self::invite::Invitations;
use self::person::PersonItem;
use self::roles::Roles;
use crate::api::{ChangeProject, get_people};
use crate::components::change_form::{ChangeAction, ChangeAnswer};
use crate::components::{ErrorState, Loading};
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;
use crate::live::{use_connection, use_live_client};
use crate::model::{CurrentUser, People};

/// People, invitations and roles.
#[component]
pub fn PeoplePage() -> impl IntoView {
    use_connection();
    let project = use_project();
    let user = use_current_user();
    let rights = use_live_client().rights();
    let action = ServerAction::<ChangeProject>::new();
    let people =
        Resource::new(move || (rights.get(), action.version().get()), move |_| get_people(project.slug()));
    view! {
        <Title text="People and roles"/>
        <div class="page">
            <h1>"People and roles"</h1>
            <ChangeAnswer action/>
            <Transition fallback=|| view! { <Loading what="the people"/> }>
                {move || Suspend::new(async move {
                    match (people.await, user.await) {
                        (Ok(people), Ok(user)) => Either::Left(view! { <PeopleView people user action/> }),
                        (Err(error), _) | (_, Err(error)) => {
                            Either::Right(view! { <ErrorState error what="the people"/> })
                        }
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn PeopleView(people: People, user: CurrentUser, action: ChangeAction) -> impl IntoView {
    let may_manage = user.may_manage("people.manage");
    let People { people, invitations, roles, organizations } = people;
    let (all_roles, all_organizations) = (StoredValue::new(roles.clone()), StoredValue::new(organizations));
    let count = people.len().to_string();
    view! {
        {(!may_manage).then(|| view! {
            <p class="hint">"You can look, and change nothing: that takes the permission people.manage."</p>
        })}
        <section class="card" aria-labelledby="people">
            <h2 id="people">"People"</h2>
            <ul class="list" data-count=count>
                {people
                    .into_iter()
                    .map(|person| view! {
                        <PersonItem person me=user.id roles=all_roles organizations=all_organizations may_manage action/>
                    })
                    .collect_view()}
            </ul>
        </section>
        {may_manage.then(|| view! {
            <Invitations invitations roles=all_roles organizations=all_organizations action/>
        })}
        <Roles roles may_manage action/>
    }
}
