//! `/api/v1/settlements`.

use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use tidewatch_app::model::SettlementCursor;
use tidewatch_events::catalog::settlement::SettlementStatus;
use tidewatch_events::id::SettlementId;
use tidewatch_events::{Permission, Position};
use tidewatch_outbox::read_head;

use crate::access::Caller;
use crate::commands::{self, Origin};
use crate::db;
use crate::domain::settlement::{Move, NewSettlement, RULES, Settlement};
use crate::error::Error;
use crate::http::accept::negotiate;
use crate::http::csv;
use crate::http::json_body::JsonBody;
use crate::http::query::Query;
use crate::http::request_id::RequestId;
use crate::http::settlement_json::{PositionedSettlement, SettlementJson};
use crate::queries::cut_page;
use crate::state::AppState;

/// Most settlements of one page.
pub const MAX_LIMIT: u64 = 200;
/// Most settlements of one export.
const MAX_EXPORT: usize = 100_000;
/// Settlements that an export reads at once.
const EXPORT_BATCH: u32 = 1_000;
const JSON: &str = "application/json";
/// Settlements of a page where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 50;

/// The routes.
pub fn router() -> Router<AppState> {
    Router::new()
        .route("/api/v1/settlements", get(list).post(create))
        .route("/api/v1/settlements/{id}", get(read))
        .route("/api/v1/settlements/{id}/moves", post(make_move))
}

/// A page of settlements.
#[derive(Debug, Serialize)]
struct SettlementsPage {
    settlements: Vec<SettlementJson>,
    /// `after` of the following page; `null` on the last.
    next: Option<String>,
    /// Read in one snapshot with the settlements: a stream opened `after` it goes on from here.
    position: Position,
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    caller.require(&Permission::SETTLEMENTS_READ)?;
    let form = negotiate(&headers, &[JSON, csv::CONTENT_TYPE_CSV])
        .ok_or(Error::NotAcceptable("accept application/json or text/csv"))?;
    let query = query.only(&["status", "after", "limit"])?;
    let status: Option<SettlementStatus> = query.parse("status")?;
    let after: Option<SettlementCursor> = query.parse("after")?;
    let limit = query.number("limit", 1..=MAX_LIMIT, DEFAULT_LIMIT)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    if form == csv::CONTENT_TYPE_CSV {
        return export(&mut snapshot, &caller, status, after).await;
    }
    let (settlements, next) =
        list_page(&mut snapshot, &caller, status, after, u32::try_from(limit).unwrap_or(u32::MAX - 1))
            .await?;
    let position = read_head(&mut snapshot, caller.project()).await?.last;
    let settlements = settlements.iter().map(SettlementJson::from).collect();
    Ok(Json(SettlementsPage { settlements, next, position }).into_response())
}

/// Everything that the query asks for as CSV, newest first, as of one moment.
async fn export(
    connection: &mut sqlx::PgConnection,
    caller: &Caller,
    status: Option<SettlementStatus>,
    mut after: Option<SettlementCursor>,
) -> Result<Response, Error> {
    const COLUMNS: [&str; 13] = [
        "id",
        "reference",
        "status",
        "amountMinor",
        "currency",
        "network",
        "confirmations",
        "required",
        "txHash",
        "error",
        "version",
        "createdAt",
        "updatedAt",
    ];
    let mut text = csv::row(COLUMNS);
    let mut rows = 0;
    loop {
        let page = db::settlements::list(connection, &caller.subject, status, after, EXPORT_BATCH).await?;
        page.iter().for_each(|settlement| text.push_str(&csv_row(settlement)));
        rows += page.len();
        match page.last() {
            Some(last) if page.len() == EXPORT_BATCH as usize => {
                if rows >= MAX_EXPORT {
                    let message = format!("asks for more than {MAX_EXPORT} settlements; export in parts");
                    return Err(Error::parameter("after", message));
                }
                after = Some(SettlementCursor { created_at: last.created_at, id: last.id });
            }
            _ => break,
        }
    }
    Ok(csv::attachment("tidewatch-settlements.csv", text))
}

fn csv_row(settlement: &Settlement) -> String {
    csv::row([
        settlement.id.to_string().as_str(),
        &settlement.reference,
        settlement.status.as_str(),
        &settlement.amount_minor.to_string(),
        settlement.currency.as_str(),
        settlement.network.as_ref().map(|network| network.as_str()).unwrap_or_default(),
        &settlement.confirmations.to_string(),
        &settlement.required.to_string(),
        settlement.tx_hash.as_deref().unwrap_or_default(),
        settlement.error.as_deref().unwrap_or_default(),
        &settlement.version.to_string(),
        &settlement.created_at.to_string(),
        &settlement.updated_at.to_string(),
    ])
}

/// A page of settlements and the cursor of the following one. One row more than the page tells
/// whether there is a following one.
///
/// # Errors
/// Postgres refused or could not be reached.
pub async fn list_page(
    connection: &mut sqlx::PgConnection,
    caller: &Caller,
    status: Option<SettlementStatus>,
    after: Option<SettlementCursor>,
    limit: u32,
) -> Result<(Vec<Settlement>, Option<String>), Error> {
    let mut rows = db::settlements::list(connection, &caller.subject, status, after, limit + 1).await?;
    let next = cut_page(&mut rows, limit, write_cursor);
    Ok((rows, next))
}

fn write_cursor(last: &Settlement) -> String {
    SettlementCursor { created_at: last.created_at, id: last.id }.to_string()
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(new): JsonBody<NewSettlement>,
) -> Result<(StatusCode, [(http::HeaderName, String); 1], Json<PositionedSettlement>), Error> {
    let (settlement, position) = commands::create_settlement(&state, &caller, new, origin).await?;
    let location = [(http::header::LOCATION, format!("/api/v1/settlements/{}", settlement.id))];
    let body = PositionedSettlement { settlement: (&settlement).into(), position };
    Ok((StatusCode::CREATED, location, Json(body)))
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<PositionedSettlement>, Error> {
    caller.require(&Permission::SETTLEMENTS_READ)?;
    let id = read_id(&id)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let settlement = db::settlements::find(&mut snapshot, &caller.subject, id)
        .await?
        .ok_or_else(|| Error::NotFound(format!("settlement {id}")))?;
    let position = read_head(&mut snapshot, caller.project()).await?.last;
    Ok(Json(PositionedSettlement { settlement: (&settlement).into(), position }))
}

async fn make_move(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<PositionedSettlement>, Error> {
    let id = read_id(&id)?;
    let (step, expected_version) = read_move(body)?;
    let (settlement, position) =
        commands::move_settlement(&state, &caller, id, step, expected_version, origin).await?;
    Ok(Json(PositionedSettlement { settlement: (&settlement).into(), position }))
}

/// Reads `{move, expectedVersion, …}`.
///
/// # Errors
/// 422 that names the field.
pub fn read_move(mut body: Map<String, Value>) -> Result<(Move, i64), Error> {
    let expected_version = body
        .remove("expectedVersion")
        .ok_or_else(|| Error::field("expectedVersion", "is missing: give the `version` that you acted on"))?
        .as_i64()
        .filter(|version| *version > 0)
        .ok_or_else(|| Error::field("expectedVersion", "must be a whole number of 1 or more"))?;
    let known = || RULES.iter().map(|rule| rule.name).collect::<Vec<_>>().join(", ");
    match body.get("move") {
        Some(Value::String(name)) if RULES.iter().any(|rule| rule.name == name) => {}
        Some(_) => return Err(Error::field("move", format!("is none of {}", known()))),
        None => return Err(Error::field("move", format!("is missing: give one of {}", known()))),
    }
    let step = serde_json::from_value(Value::Object(body)).map_err(|error| {
        let message = error.to_string();
        let field = message.split('`').nth(1).unwrap_or_default().to_owned();
        Error::field(&field, message)
    })?;
    Ok((step, expected_version))
}

fn read_id(text: &str) -> Result<SettlementId, Error> {
    // A malformed id names nothing: 404, as for an unknown one.
    text.parse().map_err(|error| Error::NotFound(format!("settlement `{text}`: an id {error}")))
}

/// Where a command comes from, by the request's headers.
pub struct ReadOrigin(pub Origin);

impl<S: Send + Sync> FromRequestParts<S> for ReadOrigin {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        let text = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let correlation_id = match text("x-correlation-id") {
            Some(id) if id.len() <= 200 && !id.is_empty() => Some(id.to_owned()),
            Some(_) => return Err(Error::parameter("x-correlation-id", "must have 1 to 200 characters")),
            None => None,
        };
        // A trace context that is not valid is ignored, as the W3C asks.
        let traceparent = text("traceparent").filter(|value| is_traceparent(value)).map(ToOwned::to_owned);
        let request_id = parts.extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
        Ok(Self(Origin { request_id, correlation_id, traceparent }))
    }
}

/// Version 00 of [W3C Trace Context](https://www.w3.org/TR/trace-context/#traceparent-header).
fn is_traceparent(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &str, length: usize| {
        part.len() == length && part.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    };
    matches!(parts.as_slice(), [version, trace, parent, flags]
        if hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2))
}
