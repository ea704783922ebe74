//! Where the link at the foot of an e-mail leads. A plain form, and no login.

use leptos::either::EitherOf3;
use leptos::prelude::*;
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use crate::components::{Icon, IconName};
use crate::layouts::dashboard::BrandMark;

/// Turning one's e-mail off. To look at the page does nothing: mailboxes follow links to see whether they are safe.
#[component]
pub fn UnsubscribePage() -> impl IntoView {
    let query = use_query_map();
    let token = move || query.read().get("token").unwrap_or_default();
    let is_done = move || query.read().get("done").is_some();
    view! {
        <Title text="No more e-mail"/>
        <main class="login" id="main">
            <div class="login-card">
                <p class="brand"><BrandMark/><span>"Tidewatch"</span></p>
                <h1>"No more e-mail"</h1>
                {move || if is_done() {
                    EitherOf3::A(view! {
                        <p class="alert" data-tone="good" role="status">
                            <Icon name=IconName::Check/><span>"You get no more e-mail about notifications."</span>
                        </p>
                        <p class="hint">"They are in your inbox as before. There you can have them sent again, too."</p>
                        <p><a href="/notifications/settings" rel="external">"To your settings"</a></p>
                    })
                } else if token().is_empty() {
                    EitherOf3::B(view! {
                        <p class="alert" data-tone="bad" role="alert">
                            <Icon name=IconName::Alert/><span>"This link is not one of ours, or it was cut."</span>
                        </p>
                        <p><a href="/notifications/settings" rel="external">"To your settings"</a></p>
                    })
                } else {
                    EitherOf3::C(view! {
                        <p>"Turn off all e-mail about notifications in this project?"</p>
                        <form method="post" action="/unsubscribe" class="form">
                            <input type="hidden" name="token" value=token()/>
                            <button class="button button-primary button-wide">"Turn off"</button>
                        </form>
                    })
                }}
            </div>
        </main>
    }
}
