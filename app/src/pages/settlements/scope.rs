//! The address of a list and what it asks for.

use leptos_router::params::ParamsMap;
use tidewatch_events::catalog::settlement::SettlementStatus;

use crate::address::with_parameters;
use crate::components::error_state::encode;
use crate::model::SettlementQuery;

const MOST_ROWS: u32 = 100;

/// What the address asks for. What it says wrongly counts as not said.
#[must_use]
pub(super) fn read_query(params: &ParamsMap) -> SettlementQuery {
    let limit = params.get("limit").and_then(|limit| limit.parse().ok());
    SettlementQuery {
        status: params.get("status").and_then(|status| status.parse().ok()),
        after: params.get("after").filter(|after| !after.is_empty()),
        limit: limit.filter(|limit| (1..=MOST_ROWS).contains(limit)).unwrap_or(SettlementQuery::PAGE_SIZE),
    }
}

/// The address of a list.
#[must_use]
pub(super) fn href(status: Option<SettlementStatus>, after: Option<&str>, limit: u32) -> String {
    let limit = (limit != SettlementQuery::PAGE_SIZE).then(|| limit.to_string());
    with_parameters(
        "/settlements",
        [("status", status.map(|status| status.to_string())), ("limit", limit), ("after", after.map(encode))],
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let mut params = ParamsMap::new();
        params.insert("status", "failed".to_owned());
        params.insert("after", "1-stl_x".to_owned());
        params.insert("limit", "10".to_owned());
        let query = read_query(&params);
        assert_eq!(
            href(query.status, query.after.as_deref(), query.limit),
            "/settlements?status=failed&limit=10&after=1-stl_x"
        );
    }

    #[test]
    fn what_is_said_wrongly_counts_as_not_said() {
        let mut params = ParamsMap::new();
        params.insert("status", "nonsense".to_owned());
        params.insert("limit", "100000".to_owned());
        let query = read_query(&params);
        assert_eq!(href(query.status, query.after.as_deref(), query.limit), "/settlements");
    }
}
