//! The address of the explorer and what it asks for.

use leptos::prelude::*;
use leptos_router::params::ParamsMap;

use crate::components::error_state::encode;
use crate::components::time_input::read_time;
use crate::contexts::project::{Project, use_project};
use crate::model::{EventQuery, WrongParameter};

/// What the page shows, and where others are.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    pub(super) query: StoredValue<EventQuery>,
    pub(super) project: Project,
}

impl Scope {
    pub(super) fn new(query: EventQuery) -> Self {
        Self { query: StoredValue::new(query), project: use_project() }
    }

    /// The address of this page with something about it changed. It begins at the newest events.
    pub(super) fn with(self, change: impl FnOnce(&mut EventQuery)) -> String {
        let mut query = self.query.get_value();
        query.before = None;
        change(&mut query);
        self.project.href(&address(&query))
    }
}

impl Scope {
    /// The address of all that it asks for, as a file.
    pub(super) fn export(self, kind: &str) -> String {
        let asked = self.asked();
        let joint = if asked.is_empty() { "" } else { "&" };
        self.project.href(&format!("/api/v1/events/search?{asked}{joint}export={kind}"))
    }

    /// What its address asks for, without the page.
    pub(super) fn asked(self) -> String {
        let mut query = self.query.get_value();
        query.before = None;
        address(&query).split_once('?').map(|(_, asked)| asked.to_owned()).unwrap_or_default()
    }
}

/// What the address asks for, or all that is wrong with it.
pub(super) fn read_query(params: &ParamsMap) -> Result<EventQuery, Vec<WrongParameter>> {
    EventQuery::read(|name| {
        let said = params.get(name)?;
        // The form's inputs say days, and moments without an offset.
        let time = ["from", "to"].contains(&name).then(|| read_time(said.trim())).flatten();
        Some(time.map_or(said, |time| time.to_string()))
    })
}

/// The address of a page that asks for this.
pub(super) fn address(query: &EventQuery) -> String {
    let said: Vec<String> =
        query.parameters().into_iter().map(|(name, value)| format!("{name}={}", encode(&value))).collect();
    if said.is_empty() { "/events".to_owned() } else { format!("/events?{}", said.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let mut params = ParamsMap::new();
        for (name, value) in [
            ("types", "settlement.*,payment.refunded"),
            ("q", "100% \"ä\""),
            ("asOf", "17"),
            ("project", "quay"),
        ] {
            params.insert(name, value.to_owned());
        }
        let query = read_query(&params).expect("a query");
        assert_eq!(
            address(&query),
            "/events?types=settlement.%2A%2Cpayment.refunded&q=100%25%20%22%C3%A4%22&asOf=17"
        );
        assert_eq!(address(&EventQuery::default()), "/events");
    }

    #[test]
    fn takes_days_as_the_form_says_them() {
        let mut params = ParamsMap::new();
        params.insert("from", "2026-11-20".to_owned());
        params.insert("to", "2026-11-21T10:30".to_owned());
        let query = read_query(&params).expect("a query");
        assert_eq!(
            address(&query),
            "/events?from=2026-11-20T00%3A00%3A00.000Z&to=2026-11-21T10%3A30%3A00.000Z"
        );
    }

    #[test]
    fn says_what_is_wrong_and_where() {
        let mut params = ParamsMap::new();
        params.insert("from", "yesterday".to_owned());
        params.insert("types", "Payment".to_owned());
        let wrong = read_query(&params).expect_err("wrong");
        assert_eq!(wrong.iter().map(|wrong| wrong.name.as_str()).collect::<Vec<_>>(), ["types", "from"]);
    }
}
