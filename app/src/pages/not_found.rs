//! Nothing here.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::contexts::project::use_project;
use crate::request;

/// The page for addresses that lead nowhere.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    request::set_status(404);
    view! {
        <Title text="Not found"/>
        <div class="page page-narrow">
            <h1>"Not found"</h1>
            <p>"There is nothing at this address. It may belong to another project, or the link may be incomplete."</p>
            <p><a class="button" href=use_project().href("/")>"Go to the overview"</a></p>
        </div>
    }
}
