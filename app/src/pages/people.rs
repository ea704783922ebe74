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
use crate::components::text_filter::{has_words, use_words};
use crate::components::{EmptyState, ErrorState, Loading, ReadFreshness, TextFilter, WhileAllowed};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{CurrentUser, People, Person, Snapshot};

/// People, invitations and roles.
#[component]
pub fn PeoplePage() -> impl IntoView {
    let project = use_project();
    let user = use_current_user();
    let action = use_form_action::<ChangeProject>();
    let people = Resource::new(|| (), move |()| get_people(project.slug()));
    view! {
        <Title text="People and roles"/>
        <div class="page">
            <h1>"People and roles"</h1>
            <ChangeAnswer action/>
            <Transition fallback=|| view! { <Loading what="the people"/> }>
                {move || Suspend::new(async move {
                    match (people.await, user.await) {
                        (Ok(snapshot), Ok(user)) => Either::Left(view! { <PeopleView snapshot user action/> }),
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
fn PeopleView(snapshot: Snapshot<People>, user: CurrentUser, action: ChangeAction) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let permissions = StoredValue::new(snapshot.data.permissions.clone());
    // Of invitations and roles no event tells.
    let state = RwSignal::new(Polled::told_by(snapshot, "user."));
    let project = use_project();
    let live = use_live(state, anchor, move || get_people(project.slug()));
    refetch_after(action, live);
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let may_manage = user.may_manage("people.manage");
    let roles = Memo::new(move |_| state.with(|state| state.data().roles.clone()));
    let organizations = Memo::new(move |_| state.with(|state| state.data().organizations.clone()));
    let invitations = Memo::new(move |_| state.with(|state| state.data().invitations.clone()));
    let words = use_words();
    // What can be chosen for a person belongs to their forms.
    let people = Memo::new(move |_| {
        let choices: Vec<String> = roles
            .read()
            .iter()
            .map(|role| role.title.clone())
            .chain(organizations.read().iter().map(|organization| organization.name.clone()))
            .collect();
        state.with(|state| {
            let found = state.data().people.iter().filter(|person| is_wanted(person, &words.read()));
            found.map(|person| (person.clone(), choices.clone())).collect::<Vec<_>>()
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
        </section>
        {may_manage.then(|| view! { <Invitations invitations roles organizations action/> })}
        <Roles roles permissions may_manage action/>
        </WhileAllowed>
    }
}

fn is_wanted(person: &Person, words: &str) -> bool {
    let roles = person.roles.iter().map(String::as_str);
    let id = person.id.to_string();
    has_words(words, [person.name.as_str(), &person.email, &id].into_iter().chain(roles))
}
