//! The way in. A plain form: it works before, without and in spite of JavaScript.

use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::components::{Icon, IconName};
use crate::layouts::dashboard::BrandMark;

fn explain(error: &str, wait: Option<u32>) -> String {
    let text = match error {
        "credentials" => "The address or the password is not right. Check both and try again.",
        "throttled" => {
            return match wait {
                Some(seconds) => format!("Too many attempts. Wait {seconds} s, then try again."),
                None => "Too many attempts. Wait a little, then try again.".to_owned(),
            };
        }
        "expired" => "Your session has ended. Log in to go on where you were.",
        _ => "That did not work. Try again.",
    };
    text.to_owned()
}

/// The login.
#[component]
pub fn LoginPage() -> impl IntoView {
    let query = use_query_map();
    let error = move || query.read().get("error");
    let wait = move || query.read().get("wait").and_then(|wait| wait.parse().ok());
    let next = move || query.read().get("next").unwrap_or_else(|| "/".to_owned());
    let described_by = move || error().map(|_| "login-error");
    view! {
        <Title text="Log in"/>
        <main class="login" id="main">
            <div class="login-card">
                <p class="brand"><BrandMark/><span>"Tidewatch"</span></p>
                <h1>"Log in"</h1>
                {move || error().map(|error| view! {
                    <p class="alert" data-tone="bad" role="alert" id="login-error">
                        <Icon name=IconName::Alert/><span>{explain(&error, wait())}</span>
                    </p>
                })}
                <form method="post" action="/login" class="form">
                    <input type="hidden" name="next" value=next/>
                    <label class="field">
                        <span>"E-mail"</span>
                        <input
                            type="email"
                            name="email"
                            autocomplete="username"
                            required=true
                            autofocus=true
                            aria-describedby=described_by
                        />
                    </label>
                    <label class="field">
                        <span>"Password"</span>
                        <input
                            type="password"
                            name="password"
                            autocomplete="current-password"
                            required=true
                            aria-describedby=described_by
                        />
                    </label>
                    <button class="button button-primary button-wide">"Log in"</button>
                </form>
            </div>
            <p class="login-foot">"Settlements and their events, live."</p>
        </main>
    }
}
