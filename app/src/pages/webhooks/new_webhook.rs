//! A new endpoint.

use leptos::prelude::*;

use crate::components::change_form::{ChangeAction, ChangeForm};
use crate::components::{Icon, IconName};

/// The form that makes one.
#[component]
pub(super) fn NewWebhookForm(action: ChangeAction) -> impl IntoView {
    view! {
        <details class="disclosure">
            <summary class="button"><Icon name=IconName::Plus/>"New webhook"</summary>
            <div class="panel">
                <ChangeForm action name="createWebhook" class="form">
                    <label class="field">
                        <span>"Address"</span>
                        <input type="url" name="change[createWebhook][url]" required=true maxlength="2000" placeholder="https://example.com/webhooks" autocomplete="off"/>
                    </label>
                    <label class="field">
                        <span>"What it is for (may stay empty)"</span>
                        <input type="text" name="change[createWebhook][description]" maxlength="500" placeholder="Bookkeeping" autocomplete="off"/>
                    </label>
                    <label class="field">
                        <span>"Event types, with commas between them"</span>
                        <input type="text" name="change[createWebhook][types]" maxlength="2000" placeholder="settlement.*, order.paid (empty: all)" autocomplete="off"/>
                    </label>
                    <div><button class="button button-primary" disabled=move || action.pending().get()>"Make the webhook"</button></div>
                </ChangeForm>
                <p class="hint">
                    "It sees what you may read, and nothing that is addressed to somebody. The secret that signs is shown once. \
                     Addresses in private networks are refused."
                </p>
            </div>
        </details>
    }
}
