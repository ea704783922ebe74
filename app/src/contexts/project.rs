//! The project that the page is about, as its address says.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use crate::components::error_state::encode;

/// The project of a page. It stays the same as long as the page lives: another project is another
/// document, so that nothing of the one is ever in the other.
#[derive(Debug, Clone, Copy)]
pub struct Project(StoredValue<String>);

impl Project {
    /// Its name in addresses; empty where the address says none, and means the one that the person
    /// joined first.
    #[must_use]
    pub fn slug(self) -> String {
        self.0.get_value()
    }

    /// The address of a page of this project.
    #[must_use]
    pub fn href(self, path: &str) -> String {
        self.0.with_value(|slug| in_project(path, slug))
    }
}

/// `path` with the project in its query.
#[must_use]
pub fn in_project(path: &str, slug: &str) -> String {
    if slug.is_empty() {
        return path.to_owned();
    }
    let joint = if path.contains('?') { '&' } else { '?' };
    format!("{path}{joint}project={}", encode(slug))
}

/// Reads the project from the address.
pub fn provide_project() -> Project {
    let slug = use_query_map().with_untracked(|query| query.get("project")).unwrap_or_default();
    let project = Project(StoredValue::new(slug));
    provide_context(project);
    project
}

/// The project that the page is about.
///
/// # Panics
/// Outside of the dashboard's layout.
#[must_use]
pub fn use_project() -> Project {
    expect_context()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_in_every_address() {
        assert_eq!(in_project("/settlements", ""), "/settlements");
        assert_eq!(in_project("/settlements", "quay"), "/settlements?project=quay");
        assert_eq!(
            in_project("/settlements?status=failed", "quay"),
            "/settlements?status=failed&project=quay"
        );
    }
}
