//! What the rendering side knows of the request: on the server the request itself, in the browser
//! what the server left in the page.

pub use side::{density, form_answer, set_status, theme};

#[cfg(feature = "ssr")]
mod side {
    use crate::backend::use_backend;
    use crate::model::{Density, FormAnswer, Theme};

    /// What came of the form that led to this page.
    #[must_use]
    pub fn form_answer() -> Option<FormAnswer> {
        use_backend().ok()?.form_answer()
    }

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

    /// How close rows stand in the page.
    #[must_use]
    pub fn density() -> Density {
        use_backend().map(|backend| backend.density()).unwrap_or_default()
    }
}

#[cfg(not(feature = "ssr"))]
mod side {
    use std::str::FromStr;

    use leptos::prelude::document;

    use crate::model::{Density, FormAnswer, Theme};

    /// What came of the form that led to this page: the server alone knows.
    #[must_use]
    pub const fn form_answer() -> Option<FormAnswer> {
        None
    }

    /// Sets the status code of the answer: there is none in the browser.
    pub const fn set_status(_code: u16) {}

    /// The theme that the page was rendered in.
    #[must_use]
    pub fn theme() -> Theme {
        written("data-theme")
    }

    /// How close rows stand in the page.
    #[must_use]
    pub fn density() -> Density {
        written("data-density")
    }

    fn written<T: FromStr + Default>(attribute: &str) -> T {
        let written = document().document_element().and_then(|html| html.get_attribute(attribute));
        written.and_then(|text| text.parse().ok()).unwrap_or_default()
    }
}
