//! `/api/v1/events/search`: the explorer's query as JSON, newest first.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use tidewatch_app::model::{EventPage, EventQuery, WrongParameter};
use tidewatch_events::access::Actor;
use tidewatch_events::{Envelope, Position, Timestamp};

use crate::access::Caller;
use crate::api_documents::{Operation, Routes, Shape};
use crate::db;
use crate::error::Error;
use crate::http::csv;
use crate::http::file::{self, FileForm, FileRow};
use crate::http::problem::ParameterProblem;
use crate::http::query::Query;
use crate::queries;
use crate::state::AppState;

/// The columns of an export.
const COLUMNS: [&str; 10] = [
    "position",
    "eventId",
    "eventType",
    "aggregateType",
    "aggregateId",
    "aggregateVersion",
    "occurredAt",
    "actor",
    "correlationId",
    "payload",
];

/// The routes.
pub fn routes() -> Routes {
    Routes::of("Events").get(
        "/api/v1/events/search",
        search,
        Operation::new("searchEvents", "Search events")
            .describe("The explorer's query: newest first.")
            .needs("events.read")
            .query::<String>("types", "Event types with commas between them, `settlement.*` allowed.")
            .query::<String>("resourceTypes", "Aggregate types with commas between them: `Settlement`.")
            .query::<String>("resourceId", "Only what happened to this one.")
            .query_or_empty::<Actor>("actor", "Only what this one did.")
            .query::<String>("correlationId", "Only what belongs to this business process.")
            .query_or_empty::<Timestamp>("from", "Only what occurred at or after this time.")
            .query_or_empty::<Timestamp>("to", "Only what occurred before this time.")
            .query::<String>("q", "Only what has this text in its payload.")
            .query::<String>(
                "asOf",
                "The stream as it stood at this moment: a position, or an RFC 3339 time.",
            )
            .query_or_empty::<Position>("before", "`next` of the page before.")
            .query_like(
                "limit",
                "Most events of the page.",
                Shape::Json(json!({ "anyOf": [
                    { "type": "integer", "minimum": 1, "maximum": EventQuery::MOST_ROWS, "default": EventQuery::ROWS },
                    { "const": "" },
                ] })),
            )
            .query_of("export", "All of it as a file of this form.", &["csv", "json"])
            .answers::<Found>("A page of events, or all of them as a file.")
            .answers_with(StatusCode::OK, "", csv::CONTENT_TYPE_CSV, Shape::text())
            .answered_like(COLUMNS.join(",")),
    )
}

/// What is answered in JSON. For the documents.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum Found {
    /// A page.
    Page(SearchPage),
    /// With `export=json`: all of them.
    All(Vec<Envelope>),
}

/// A page on the wire.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct SearchPage {
    events: Vec<Envelope>,
    /// `before` of the following page; `null`: there is nothing further back.
    next: Option<Position>,
    /// Where the search stopped before the page was full.
    looked_to: Option<Position>,
    /// Where the stream ended at the moment that was asked for.
    as_of: Option<Position>,
}

async fn search(State(state): State<AppState>, caller: Caller, query: Query) -> Result<Response, Error> {
    let asked = EventQuery::read(|name| query.get(name).map(ToOwned::to_owned)).map_err(|wrong| {
        let problem = |wrong: WrongParameter| ParameterProblem::new(wrong.name, wrong.message);
        Error::Parameters(wrong.into_iter().map(problem).collect())
    })?;
    if let Some(form) = query.get("export") {
        return export(state, caller, asked, FileForm::read(form)?).await;
    }
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let page = queries::events::search(&mut snapshot, &caller, &asked, false).await?;
    let EventPage { events, next, looked_to, as_of, .. } = page;
    Ok(Json(SearchPage { events, next, looked_to, as_of }).into_response())
}

/// Everything that the query asks for, as far back as the log is kept.
async fn export(
    state: AppState,
    caller: Caller,
    asked: EventQuery,
    form: FileForm,
) -> Result<Response, Error> {
    let asked = EventQuery { limit: EventQuery::MOST_ROWS, ..asked };
    let columns = COLUMNS.map(ToOwned::to_owned).to_vec();
    file::stream("events", form, columns, asked.before, move |before| {
        let (state, caller) = (state.clone(), caller.clone());
        let asked = EventQuery { before, ..asked.clone() };
        async move {
            let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
            let page = queries::events::search(&mut snapshot, &caller, &asked, false).await?;
            Ok((page.events, page.next.map(Some)))
        }
    })
    .await
}

impl FileRow for Envelope {
    fn values(&self, _: &[String]) -> Vec<String> {
        let metadata = &self.metadata;
        vec![
            self.position.to_string(),
            self.event_id.to_string(),
            self.event_type.to_string(),
            self.aggregate_type.to_string(),
            self.aggregate_id.clone(),
            self.aggregate_version.to_string(),
            self.occurred_at.to_string(),
            metadata.actor.as_ref().map(ToString::to_string).unwrap_or_default(),
            metadata.correlation_id.clone().unwrap_or_default(),
            self.payload.to_string(),
        ]
    }
}
