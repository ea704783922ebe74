//! What the rendering side knows of the request: on the server the request itself, in the browser
//! what the server left in the page.

pub use side::{set_status, theme};

#[cfg(feature = "ssr")]
mod side {
    use crate::backend::use_backend;
    use crate::model::Theme;

    /// Sets the status code of the answer that is being rendered.
    pub fn set_status(code: u16) {
        if let Ok(backend) = use_backend() {
            backend.set_status(code);
        }
    }

    /// The theme that the page is rendered in.
    #[must_use]
    pub fn theme() -> Theme {
        use_backend().map(|backend| backend.theme()).unwrap_or_default()
    }
}

#[cfg(not(feature = "ssr"))]
mod side {
    use leptos::prelude::document;

    use crate::model::Theme;

    /// Sets the status code of the answer: there is none in the browser.
    pub const fn set_status(_code: u16) {}

    /// The theme that the page was rendered in.
    #[must_use]
    pub fn theme() -> Theme {
        let written = document().document_element().and_then(|html| html.get_attribute("data-theme"));
        written.and_then(|theme| theme.parse().ok()).unwrap_or_default()
    }
}
