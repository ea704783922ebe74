//! Trying a channel: an event goes out on it, and a token lets into it.

use leptos::prelude::*;
use tidewatch_events::Channel;

use crate::components::change_form::{ChangeAction, ChangeForm};

/// Publishes an event.
#[component]
pub(super) fn Publish(channel: Channel, action: ChangeAction) -> impl IntoView {
    view! {
        <div class="card">
            <h3>"Publish"</h3>
            <ChangeForm action name="publishEvent" class="form">
                <input type="hidden" name="change[publishEvent][channelName]" value=channel.to_string()/>
                <label class="field">
                    <span>"Type"</span>
                    <input type="text" name="change[publishEvent][eventType]" placeholder="message.published" maxlength="100" autocomplete="off"/>
                </label>
                <label class="field">
                    <span>"Payload (JSON)"</span>
                    <textarea name="change[publishEvent][payload]" rows="4" required=true spellcheck="false">"{\n  \"text\": \"Hello\"\n}"</textarea>
                </label>
                <div><button class="button button-primary" disabled=move || action.pending().get()>"Publish"</button></div>
            </ChangeForm>
        </div>
    }
}

/// Signs a token for a private channel.
#[component]
pub(super) fn Sign(channel: Channel, action: ChangeAction) -> impl IntoView {
    view! {
        <div class="card">
            <h3>"Sign a token"</h3>
            <ChangeForm action name="signToken" class="form">
                <input type="hidden" name="change[signToken][channelName]" value=channel.to_string()/>
                <label class="field">
                    <span>"For whom (may stay empty)"</span>
                    <input type="text" name="change[signToken][subject]" placeholder="user:usr_… or a name of yours" maxlength="200" autocomplete="off"/>
                </label>
                <p class="hint">"Whoever shows it may listen for ten minutes from now on; who listens by then stays as long as you may sign."</p>
                <div><button class="button" disabled=move || action.pending().get()>"Sign"</button></div>
            </ChangeForm>
        </div>
    }
}
