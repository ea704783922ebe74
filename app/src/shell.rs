//! The document around the UI. Rendered by the server alone.

use leptos::prelude::*;
use leptos_meta::{HashedStylesheet, MetaTags};

use crate::request;
use crate::routes::App;

/// The document. Theme and density stand in it from the first byte, so that nothing flashes.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=request::theme().as_str() data-density=request::density().as_str()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="description" content="Settlements and their events, live."/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <HashedStylesheet id="style" options=options.clone()/>
                <AutoReload options=options.clone()/>
                <HydrationScripts options/>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}
