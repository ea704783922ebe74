//! `/api/v1/audit`: who changed what.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use tidewatch_app::model::{AuditEntry, AuditPage, AuditQuery};
use tidewatch_events::Timestamp;
use tidewatch_events::id::AuditEntryId;

use crate::access::Caller;
use crate::api_documents::{Operation, Routes, Shape};
use crate::error::Error;
use crate::http::accept::negotiate;
use crate::http::csv;
use crate::http::file::{self, FileForm, FileRow};
use crate::http::problem_kind::ProblemKind;
use crate::http::query::Query;
use crate::queries::{self, AUDIT_PAGE};
use crate::state::AppState;

/// Most entries of one page.
const MAX_LIMIT: u64 = 200;
/// Entries of an export that are read at once.
const PART: u32 = 500;
const JSON: &str = "application/json";
const COLUMNS: [&str; 10] =
    ["id", "at", "actor", "actorName", "action", "target", "targetName", "before", "after", "requestId"];

/// The routes.
pub fn routes() -> Routes {
    let narrowed = |operation: Operation| {
        operation
            .needs("audit.view")
            .query::<String>(
                "actor",
                "Only what this actor did: `user:usr_…`, `key:key_…`, or a part of a name.",
            )
            .query::<String>("action", "Only this action, or all of a family: `role.`.")
            .query::<String>("target", "Only what was done to this, by id or a part of its name.")
            .query_or_empty::<Timestamp>("from", "Only from then on.")
            .query_or_empty::<Timestamp>("to", "Only before then.")
            .query::<AuditEntryId>("after", "`next` of the page before.")
    };
    Routes::of("Audit")
        .get(
            "/api/v1/audit",
            list,
            narrowed(Operation::new("listAuditEntries", "List what was changed"))
                .describe("Newest first. For `Accept: text/csv` all of it, as by the export.")
                .query_number("limit", "Most entries of the page.", 1, MAX_LIMIT, AUDIT_PAGE.into())
                .answers::<AuditPage>("A page of the log.")
                .answers_with(StatusCode::OK, "", csv::CONTENT_TYPE_CSV, Shape::text())
                .answered_like(COLUMNS.join(","))
                .gives([ProblemKind::NotAcceptable]),
        )
        .get(
            "/api/v1/audit/export",
            export,
            narrowed(Operation::new("exportAuditEntries", "Export what was changed"))
                .describe("All that the parameters ask for, newest first, as a file.")
                .query_of("export", "As what: CSV, where nothing is said.", &["csv", "json"])
                .answers_with(StatusCode::OK, "The file.", csv::CONTENT_TYPE_CSV, Shape::text())
                .answered_like(COLUMNS.join(","))
                .answers_with(StatusCode::OK, "", JSON, Shape::of::<Vec<AuditEntry>>()),
        )
        .get(
            "/api/v1/audit/{id}",
            read,
            Operation::new("getAuditEntry", "Read an entry of the audit log")
                .needs("audit.view")
                .path::<AuditEntryId>("id", "Which.")
                .answers::<AuditEntry>("The entry."),
        )
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
    let limit = query.number("limit", 1..=MAX_LIMIT, AUDIT_PAGE.into())?;
    if form == csv::CONTENT_TYPE_CSV {
        return export(State(state), caller, query).await;
    }
    let page =
        queries::audit(&state, &caller, &read_query(&query)?, u32::try_from(limit).unwrap_or(AUDIT_PAGE))
            .await?;
    Ok(Json(page).into_response())
}

/// Everything that the query asks for, newest first: as CSV, or with `export=json` as JSON.
async fn export(State(state): State<AppState>, caller: Caller, query: Query) -> Result<Response, Error> {
    let form = query.get("export").map_or(Ok(FileForm::Csv), FileForm::read)?;
    let asked = read_query(&query)?;
    let columns = COLUMNS.map(ToOwned::to_owned).to_vec();
    file::stream("audit", form, columns, asked.after, move |after| {
        let (state, caller, asked) = (state.clone(), caller.clone(), AuditQuery { after, ..asked.clone() });
        async move {
            let page = queries::audit(&state, &caller, &asked, PART).await?;
            Ok((page.entries, page.next.map(Some)))
        }
    })
    .await
}

impl FileRow for AuditEntry {
    fn values(&self, _: &[String]) -> Vec<String> {
        let json =
            |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string).unwrap_or_default();
        vec![
            self.id.to_string(),
            self.at.to_string(),
            self.actor.clone(),
            self.actor_name.clone(),
            self.action.clone(),
            self.target.clone(),
            self.target_name.clone(),
            json(&self.before),
            json(&self.after),
            self.request_id.clone(),
        ]
    }
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<AuditEntry>, Error> {
    let id = id.parse().map_err(|_| Error::NotFound(format!("audit entry `{id}`")))?;
    queries::audit_entry(&state, &caller, id).await.map(Json)
}
