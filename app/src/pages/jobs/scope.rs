//! The address of a list of jobs and what it asks for.

use leptos_router::params::ParamsMap;
use tidewatch_events::job::JobState;

use crate::address::with_parameters;
use crate::components::error_state::encode;
use crate::model::JobQuery;

/// What the address asks for. What it says wrongly counts as not said.
pub(super) fn read_query(params: &ParamsMap) -> JobQuery {
    let text = |name: &str| params.get(name).filter(|text| !text.is_empty());
    JobQuery {
        state: text("state").and_then(|state| state.parse().ok()),
        queue: text("queue"),
        kind: text("kind"),
        after: text("after").and_then(|after| after.parse().ok()),
    }
}

/// The address of a list.
pub(super) fn href(query: &JobQuery) -> String {
    with_parameters(
        "/jobs",
        [
            ("state", query.state.map(|state| state.to_string())),
            ("queue", query.queue.as_deref().map(encode)),
            ("kind", query.kind.as_deref().map(encode)),
            ("after", query.after.map(|after| after.to_string())),
        ],
    )
}

/// What the address asks for, without the page.
pub(super) fn asked(query: &JobQuery) -> String {
    let first = href(&in_state(query, query.state));
    first.split_once('?').map(|(_, asked)| asked.to_owned()).unwrap_or_default()
}

/// The same list in another state, from its beginning.
pub(super) fn in_state(query: &JobQuery, state: Option<JobState>) -> JobQuery {
    JobQuery { state, after: None, ..query.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let mut params = ParamsMap::new();
        params.insert("state", "dead".to_owned());
        params.insert("kind", "key.revoke".to_owned());
        params.insert("after", "nonsense".to_owned());
        assert_eq!(href(&read_query(&params)), "/jobs?state=dead&kind=key.revoke");
        assert_eq!(asked(&read_query(&params)), "state=dead&kind=key.revoke");
    }
}
