//! Asking people in.

use leptos::prelude::*;

use super::person::OrganizationChoice;
use super::roles::RoleChoice;
use crate::components::change_form::{AskFirst, ChangeAction, ChangeButton, ChangeForm};
use crate::components::{Icon, IconName};
use crate::format;
use crate::model::{Invitation, Organization, Role};

/// The form that invites, and the invitations that nobody has accepted yet.
#[component]
pub fn Invitations(
    invitations: Memo<Vec<Invitation>>,
    roles: Memo<Vec<Role>>,
    organizations: Memo<Vec<Organization>>,
    action: ChangeAction,
) -> impl IntoView {
    view! {
        <section class="card" aria-labelledby="invitations">
            <h2 id="invitations">"Invitations"</h2>
            <details class="disclosure">
                <summary class="button"><Icon name=IconName::Plus/>"Invite somebody"</summary>
                <div class="panel">
                    <ChangeForm action name="invitePerson" class="form">
                        <label class="field">
                            <span>"E-mail"</span>
                            <input type="email" name="change[invitePerson][email]" required=true autocomplete="off" maxlength="320"/>
                        </label>
                        <RoleChoice name="change[invitePerson][roles][]" roles/>
                        <OrganizationChoice name="change[invitePerson][organizations][]" organizations/>
                        <div><button class="button button-primary" disabled=move || action.pending().get()>"Make the link"</button></div>
                    </ChangeForm>
                    <p class="hint">"You get a link to send. It counts for 7 days and for one person."</p>
                </div>
            </details>
            <Show when=move || invitations.read().is_empty()><p class="hint">"No invitation is open."</p></Show>
            <ul class="list">
                <For each=move || invitations.get() key=Invitation::clone let:invitation>
                    <li class="list-item" data-id=invitation.id.to_string()>
                        <div class="list-main">
                            <p class="list-title">{invitation.email}</p>
                            <p class="list-detail">{format!("until {}", format::absolute(invitation.expires_at))}</p>
                        </div>
                        <p class="list-side tags">
                            {invitation.roles.into_iter().map(|role| view! { <span class="tag">{role}</span> }).collect_view()}
                        </p>
                        <AskFirst label="Take back…" what="The link that was sent opens nothing any more." in_list=true>
                            <ChangeButton
                                action
                                name="cancelInvitation"
                                fields=vec![("id", invitation.id.to_string())]
                                danger=true
                                label="Take the invitation back"
                            />
                        </AskFirst>
                    </li>
                </For>
            </ul>
        </section>
    }
}
