//! The project itself.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;

use crate::api::{ChangeProject, list_organizations};
use crate::components::change_form::{ChangeAction, ChangeAnswer, ChangeForm};
use crate::components::{CopyableId, ErrorState, Loading, ReadFreshness, WhileAllowed};
use crate::contexts::form_answer::use_form_action;
use crate::contexts::project::use_project;
use crate::contexts::user::use_current_user;
use crate::format;
use crate::live::reduce::Polled;
use crate::live::{Anchor, refetch_after, use_live};
use crate::model::{CurrentUser, Organization, Snapshot};

/// What the project is called, and its organizations.
#[component]
pub fn ProjectPage() -> impl IntoView {
    let project = use_project();
    let user = use_current_user();
    let action = use_form_action::<ChangeProject>();
    let organizations = Resource::new(|| (), move |()| list_organizations(project.slug()));
    view! {
        <Title text="Project settings"/>
        <div class="page">
            <h1>"Project settings"</h1>
            <ChangeAnswer action/>
            <Transition fallback=|| view! { <Loading what="the project"/> }>
                {move || Suspend::new(async move {
                    match (organizations.await, user.await) {
                        (Ok(snapshot), Ok(user)) => Either::Left(view! { <Settings snapshot user action/> }),
                        (Err(error), _) | (_, Err(error)) => {
                            Either::Right(view! { <ErrorState error what="the project"/> })
                        }
                    }
                })}
            </Transition>
        </div>
    }
}

#[component]
fn Settings(snapshot: Snapshot<Vec<Organization>>, user: CurrentUser, action: ChangeAction) -> impl IntoView {
    let anchor = Anchor::from(&snapshot);
    let state = RwSignal::new(Polled::new(snapshot));
    let project = use_project();
    let live = use_live(state, anchor, move || list_organizations(project.slug()));
    refetch_after(action, live);
    let as_of = Memo::new(move |_| state.with(Polled::as_of));
    let organizations = Memo::new(move |_| state.with(|state| state.data().clone()));
    let user = StoredValue::new(user);
    let may_manage = user.with_value(|user| user.may_manage("project.manage"));
    let of_user = move |of: fn(&CurrentUser) -> String| user.with_value(of);
    view! {
        <WhileAllowed live what="the project">
        <p class="page-meta"><ReadFreshness as_of/></p>
        {(!may_manage).then(|| view! {
            <p class="hint">"You can look, and change nothing: that takes the permission project.manage."</p>
        })}
        <section class="card" aria-labelledby="name">
            <h2 id="name">"Name"</h2>
            <dl class="facts">
                <div><dt>"Id"</dt><dd><CopyableId id=of_user(|user| user.project_id.to_string()) whole=true/></dd></div>
                <div><dt>"In addresses"</dt><dd><code>{of_user(|user| format!("?project={}", user.project_slug))}</code></dd></div>
            </dl>
            <ChangeForm action name="renameProject">
                <label class="field field-wide">
                    <span>"Called"</span>
                    <input type="text" name="change[renameProject][name]" value=of_user(|user| user.project_name.clone()) required=true maxlength="200" disabled=!may_manage/>
                </label>
                <button class="button" disabled=move || !may_manage || action.pending().get()>"Rename"</button>
            </ChangeForm>
        </section>
        <section class="card" aria-labelledby="organizations">
            <h2 id="organizations">"Organizations"</h2>
            <p class="hint">"Customers inside the project. What belongs to one is seen by its people and by the project's own."</p>
            <ul class="list">
                <For each=move || organizations.get() key=Organization::clone let:organization>
                    <OrganizationItem organization may_manage action/>
                </For>
            </ul>
            {may_manage.then(|| view! {
                <ChangeForm action name="createOrganization">
                    <label class="field field-wide">
                        <span>"New organization"</span>
                        <input type="text" name="change[createOrganization][name]" required=true maxlength="200" placeholder="Harbour Lettings" autocomplete="off"/>
                    </label>
                    <button class="button" disabled=move || action.pending().get()>"Make"</button>
                </ChangeForm>
            })}
        </section>
        </WhileAllowed>
    }
}

#[component]
fn OrganizationItem(organization: Organization, may_manage: bool, action: ChangeAction) -> impl IntoView {
    let members = match organization.members {
        1 => "1 person".to_owned(),
        n => format!("{} people", format::count(n)),
    };
    let id = organization.id.to_string();
    let (key, shown, name) = (id.clone(), id.clone(), organization.name.clone());
    view! {
        <li class="list-item" data-id=key>
            <div class="list-main">
                <p class="list-title">{name}</p>
                <CopyableId id=shown/>
            </div>
            <p class="list-side">{members}</p>
            {may_manage.then(|| view! {
                <details class="disclosure list-more">
                    <summary class="button button-small">"Rename…"</summary>
                    <div class="panel">
                        <ChangeForm action name="renameOrganization">
                            <input type="hidden" name="change[renameOrganization][id]" value=id/>
                            <label class="field field-wide">
                                <span>"Called"</span>
                                <input type="text" name="change[renameOrganization][name]" value=organization.name required=true maxlength="200"/>
                            </label>
                            <button class="button" disabled=move || action.pending().get()>"Rename"</button>
                        </ChangeForm>
                    </div>
                </details>
            })}
        </li>
    }
}
