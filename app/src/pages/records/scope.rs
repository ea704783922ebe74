//! The address of a list and what it asks for.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos_router::params::ParamsMap;
use tidewatch_modules::{Module, RecordQuery, Sort};

use crate::components::error_state::encode;
use crate::components::time_input::read_time;
use crate::contexts::project::{Project, use_project};

/// Parameters of a list that are no fields of its module.
const OWN: [&str; 9] = ["status", "q", "assignee", "from", "to", "sort", "after", "limit", "project"];

/// What a list shows, and where others are.
#[derive(Clone, Copy)]
pub(super) struct Scope {
    pub(super) module: StoredValue<Module>,
    pub(super) query: StoredValue<RecordQuery>,
    project: Project,
}

impl Scope {
    pub(super) fn new(module: Module, query: RecordQuery) -> Self {
        Self { module: StoredValue::new(module), query: StoredValue::new(query), project: use_project() }
    }

    /// The module's name.
    pub(super) fn name(self) -> String {
        self.module.with_value(|module| module.name.to_string())
    }

    /// The address of this list with something about it changed. It begins at the first page.
    pub(super) fn with(self, change: impl FnOnce(&mut RecordQuery)) -> String {
        let mut query = self.query.get_value();
        query.after = None;
        change(&mut query);
        self.project.href(&format!("/{}{}", self.name(), parameters(&query)))
    }

    /// The address of this very page of the list.
    pub(super) fn here(self) -> String {
        let parameters = self.query.with_value(parameters);
        self.project.href(&format!("/{}{parameters}", self.name()))
    }

    /// What its address asks for, without the page.
    pub(super) fn asked(self) -> String {
        let mut query = self.query.get_value();
        query.after = None;
        parameters(&query).trim_start_matches('?').to_owned()
    }

    /// The address of the same list as a file.
    pub(super) fn export(self, kind: &str) -> String {
        let mut query = self.query.get_value();
        (query.after, query.limit) = (None, 0);
        let parameters = parameters(&query);
        let joint = if parameters.is_empty() { '?' } else { '&' };
        self.project.href(&format!("/api/v1/{}{parameters}{joint}export={kind}", self.name()))
    }
}

/// What the address asks for. What it says wrongly counts as not said.
pub(super) fn read_query(params: &ParamsMap) -> RecordQuery {
    let text = |name: &str| params.get(name).filter(|text| !text.trim().is_empty());
    let fields = params.clone().into_iter().filter_map(|(name, value)| {
        let is_field = !OWN.contains(&&*name) && !value.is_empty();
        is_field.then(|| (name.to_string(), value))
    });
    RecordQuery {
        status: text("status"),
        q: text("q"),
        assignee: text("assignee").and_then(|id| id.parse().ok()),
        from: text("from").and_then(|at| read_time(&at)),
        to: text("to").and_then(|at| read_time(&at)),
        fields: fields.collect::<BTreeMap<_, _>>(),
        sort: text("sort").and_then(|sort| sort.parse().ok()).unwrap_or_default(),
        after: text("after"),
        limit: text("limit")
            .and_then(|limit| limit.parse().ok())
            .filter(|limit| (1..=RecordQuery::MOST_ROWS).contains(limit))
            .unwrap_or(0),
    }
}

/// What the address asks for and the search form does not show: it sends that along.
pub(super) fn unseen(query: &RecordQuery) -> Vec<(&'static str, String)> {
    let unseen = [
        ("status", query.status.clone()),
        ("assignee", query.assignee.map(|id| id.to_string())),
        ("limit", (query.limit != 0).then(|| query.limit.to_string())),
    ];
    unseen.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// The parameters of an address that asks for this.
pub(super) fn parameters(query: &RecordQuery) -> String {
    let own = [
        ("status", query.status.clone()),
        ("q", query.q.clone()),
        ("assignee", query.assignee.map(|id| id.to_string())),
        ("from", query.from.map(|at| at.to_string())),
        ("to", query.to.map(|at| at.to_string())),
        ("sort", (query.sort != Sort::default()).then(|| query.sort.as_str().to_owned())),
        ("limit", (query.limit != 0).then(|| query.limit.to_string())),
        ("after", query.after.clone()),
    ];
    let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let fields = query.fields.iter().map(|(name, value)| (name.clone(), value.clone()));
    let said: Vec<String> =
        own.chain(fields).map(|(name, value)| format!("{name}={}", encode(&value))).collect();
    if said.is_empty() { String::new() } else { format!("?{}", said.join("&")) }
}

/// An order in words.
pub(super) const fn order(sort: Sort) -> &'static str {
    match sort {
        Sort::Newest => "Newest first",
        Sort::Oldest => "Oldest first",
        Sort::Changed => "Last changed first",
        Sort::Amount => "Largest first",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let mut params = ParamsMap::new();
        for (name, value) in [
            ("status", "failed"),
            ("q", "INV 1"),
            ("sort", "amount"),
            ("limit", "10"),
            ("after", "1-stl_x"),
            ("currency", "EUR"),
            ("project", "quay"),
        ] {
            params.insert(name, value.to_owned());
        }
        let query = read_query(&params);
        assert_eq!(
            parameters(&query),
            "?status=failed&q=INV%201&sort=amount&limit=10&after=1-stl_x&currency=EUR"
        );
    }

    #[test]
    fn a_search_forgets_nothing_of_the_address() {
        let mut params = ParamsMap::new();
        for (name, value) in [
            ("status", "failed"),
            ("assignee", "usr_01h455vb4pex5vsknk084sn02q"),
            ("from", "2026-11-20"),
            ("to", "2026-11-21T10:30"),
            ("limit", "10"),
        ] {
            params.insert(name, value.to_owned());
        }
        let query = read_query(&params);
        let hidden: Vec<&str> = unseen(&query).into_iter().map(|(name, _)| name).collect();
        assert_eq!(hidden, ["status", "assignee", "limit"], "beside what the form shows");
        assert_eq!(query.from.map(|at| at.to_string()).as_deref(), Some("2026-11-20T00:00:00.000Z"));
        assert_eq!(query.to.map(|at| at.to_string()).as_deref(), Some("2026-11-21T10:30:00.000Z"));
    }

    #[test]
    fn what_is_said_wrongly_counts_as_not_said() {
        let mut params = ParamsMap::new();
        params.insert("sort", "nonsense".to_owned());
        params.insert("limit", "100000".to_owned());
        params.insert("from", "yesterday".to_owned());
        assert_eq!(read_query(&params), RecordQuery::default());
    }
}
