//! Where an invitation's link leads. A plain form, as the login is.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::components::{Icon, IconName};
use crate::layouts::dashboard::BrandMark;

fn explain(error: &str) -> &'static str {
    match error {
        "gone" => "This link counts no longer. Ask for another one.",
        "password" => "There is an account under your address, and that is not its password.",
        "short" => "The password must have 12 characters or more.",
        "name" => "Say what you are called.",
        "throttled" => "Too many attempts. Wait a minute, then try again.",
        _ => "That did not work. Try again.",
    }
}

/// Joining a project.
#[component]
pub fn InvitationPage() -> impl IntoView {
    let query = use_query_map();
    let token = move || query.read().get("token").unwrap_or_default();
    let error = move || query.read().get("error");
    let is_gone = move || error().as_deref() == Some("gone") || token().is_empty();
    view! {
        <Title text="Join"/>
        <main class="login" id="main">
            <div class="login-card">
                <p class="brand"><BrandMark/><span>"Tidewatch"</span></p>
                <h1>"Join a project"</h1>
                {move || error().map(|error| view! {
                    <p class="alert" data-tone="bad" role="alert"><Icon name=IconName::Alert/><span>{explain(&error)}</span></p>
                })}
                {move || if is_gone() {
                    Either::Left(view! { <p><a href="/login" rel="external">"To the login"</a></p> })
                } else {
                    Either::Right(view! {
                        <form method="post" action="/invitation" class="form">
                            <input type="hidden" name="token" value=token()/>
                            <label class="field">
                                <span>"Your name"</span>
                                <input type="text" name="name" autocomplete="name" maxlength="200" required=true/>
                            </label>
                            <label class="field">
                                <span>"Password"</span>
                                <input type="password" name="password" autocomplete="new-password" required=true/>
                            </label>
                            <p class="hint">"If you have an account here already, its password. Otherwise choose one: 12 characters or more."</p>
                            <button class="button button-primary button-wide">"Join"</button>
                        </form>
                    })
                }}
            </div>
        </main>
    }
}
