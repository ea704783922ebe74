//! `/api/v1/audit`: who changed what.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::HeaderMap;
use tidewatch_app::model::{AuditEntry, AuditQuery};

use crate::access::Caller;
use crate::error::Error;
use crate::http::accept::negotiate;
use crate::http::csv;
use crate::http::query::Query;
use crate::queries::{self, AUDIT_PAGE};
use crate::state::AppState;

/// Most entries of one page.
const MAX_LIMIT: u64 = 200;
/// Most entries of one export; a longer time is exported in parts by `from` and `to`.
const MAX_EXPORT: usize = 50_000;
const JSON: &str = "application/json";
const PARAMETERS: &[&str] = &["actor", "action", "target", "from", "to", "after", "limit"];
const COLUMNS: [&str; 10] =
    ["id", "at", "actor", "actorName", "action", "target", "targetName", "before", "after", "requestId"];

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/audit", get(list))
        .route("/api/v1/audit/export", get(export))
        .route("/api/v1/audit/{id}", get(read))
}

fn read_query(query: &Query) -> Result<AuditQuery, Error> {
    let text = |name: &str| query.get(name).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
    let time = |name: &str| match query.get(name) {
        None | Some("") => Ok(None),
        Some(_) => query.parse(name),
    };
    Ok(AuditQuery {
        actor: text("actor"),
        action: text("action"),
        target: text("target"),
        from: time("from")?,
        to: time("to")?,
        after: query.parse("after")?,
    })
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let form = negotiate(&headers, &[JSON, csv::CONTENT_TYPE_CSV])
        .ok_or(Error::NotAcceptable("accept application/json or text/csv"))?;
    if form == csv::CONTENT_TYPE_CSV {
        return export(State(state), caller, query).await;
    }
    let query = query.only(PARAMETERS)?;
    let limit = query.number("limit", 1..=MAX_LIMIT, AUDIT_PAGE.into())?;
    let page =
        queries::audit(&state, &caller, &read_query(&query)?, u32::try_from(limit).unwrap_or(AUDIT_PAGE))
            .await?;
    Ok(Json(page).into_response())
}

/// Everything that the query asks for as CSV, newest first.
async fn export(State(state): State<AppState>, caller: Caller, query: Query) -> Result<Response, Error> {
    let mut asked = read_query(&query.only(PARAMETERS)?)?;
    let mut text = csv::row(COLUMNS);
    let mut rows = 0;
    loop {
        let page =
            queries::audit(&state, &caller, &asked, u32::try_from(MAX_LIMIT).unwrap_or(AUDIT_PAGE)).await?;
        page.entries.iter().for_each(|entry| text.push_str(&csv_row(entry)));
        rows += page.entries.len();
        match page.next {
            Some(_) if rows >= MAX_EXPORT => {
                return Err(Error::parameter(
                    "from",
                    format!("asks for more than {MAX_EXPORT} entries; export in parts"),
                ));
            }
            Some(next) => asked.after = Some(next),
            None => break,
        }
    }
    Ok(csv::attachment("tidewatch-audit.csv", text))
}

fn csv_row(entry: &AuditEntry) -> String {
    let json =
        |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
    csv::row([
        entry.id.to_string().as_str(),
        &entry.at.to_string(),
        &entry.actor,
        &entry.actor_name,
        &entry.action,
        &entry.target,
        &entry.target_name,
        &json(&entry.before),
        &json(&entry.after),
        &entry.request_id,
    ])
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AuditEntry>, Error> {
    let id = id.parse().map_err(|_| Error::NotFound(format!("audit entry `{id}`")))?;
    queries::audit_entry(&state, &caller, id).await.map(Json)
}
