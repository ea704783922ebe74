//! `/api/v1/settlements` and the addresses of all other modules: one set of handlers for all.

mod export;
mod operations;

use axum::extract::{FromRequestParts, Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::request::Parts;
use http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tidewatch_events::id::{RecordId, UserId};
use tidewatch_modules::{Domain, Module, RecordQuery, Sort};
use tidewatch_outbox::read_head;
use uuid::Uuid;

use crate::access::Caller;
use crate::api_documents::Routes;
use crate::commands::records as commands;
use crate::db;
use crate::db::records::Search;
use crate::domain::Modules;
use crate::error::Error;
use crate::http::accept::negotiate;
use crate::http::created::Created;
use crate::http::csv;
use crate::http::file::FileForm;
use crate::http::json_body::JsonBody;
use crate::http::origin::ReadOrigin;
use crate::http::query::Query;
use crate::http::record_json::{PositionedRecord, RecordJson};
use crate::queries;
use crate::state::AppState;

const JSON: &str = "application/json";
/// Records of a page where nobody asked for another number.
const DEFAULT_LIMIT: u64 = 50;

/// The routes of every module.
pub fn routes(modules: &Modules) -> Routes {
    modules.descriptions().fold(Routes::default(), |routes, module| routes.merge(routes_of(module)))
}

fn routes_of(module: &Module) -> Routes {
    let path = format!("/api/v1/{}", module.name);
    let name = ModuleName(module.name.to_string());
    Routes::of(module.title.clone())
        .get(&path, list, operations::list(module))
        .post(&path, create, operations::create(module))
        .post(&format!("{path}/moves"), move_many, operations::move_many(module))
        .get(&format!("{path}/{{id}}"), read, operations::read(module))
        .post(&format!("{path}/{{id}}/moves"), make_move, operations::make_move(module))
        .get(&format!("{path}/{{id}}/comments"), comments, operations::comments(module))
        .post(&format!("{path}/{{id}}/comments"), comment, operations::comment(module))
        .through(|router| router.route_layer(Extension(name)))
}

#[derive(Clone)]
struct ModuleName(String);

/// The module that the address names.
struct InModule {
    modules: Modules,
    name: String,
}

impl InModule {
    fn domain(&self) -> Result<&dyn Domain, Error> {
        self.modules.find(&self.name).ok_or_else(|| Error::NotFound(format!("module {}", self.name)))
    }
}

impl FromRequestParts<AppState> for InModule {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, Error> {
        let name = parts.extensions.get::<ModuleName>().map(|name| name.0.clone()).unwrap_or_default();
        Ok(Self { modules: state.modules.clone(), name })
    }
}

async fn list(
    State(state): State<AppState>,
    caller: Caller,
    within: InModule,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Error> {
    let domain = within.domain()?;
    let module = domain.module();
    caller.require(&module.read)?;
    let (asked, form) = read_query(module, query)?;
    let form = match form {
        Some(form) => form,
        None => match negotiate(&headers, &[JSON, csv::CONTENT_TYPE_CSV]) {
            Some(csv::CONTENT_TYPE_CSV) => Form::File(FileForm::Csv),
            Some(_) => Form::Page { total: false },
            None => return Err(Error::NotAcceptable("accept application/json or text/csv")),
        },
    };
    let total = match form {
        Form::File(form) => return export::export(state, caller, module.clone(), asked, form).await,
        Form::Page { total } => total,
    };
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let search = Search::new(&mut snapshot, module, &caller.subject, &asked).await?;
    let (records, next) = queries::records::page(&mut snapshot, &search).await?;
    let held = &caller.subject.permissions;
    let records: Vec<RecordJson> =
        records.into_iter().map(|record| RecordJson::of(module, record, held)).collect();
    let mut page = json!({
        "next": next,
        "position": read_head(&mut snapshot, caller.project()).await?.last,
    });
    page[&*module.name] = json!(records);
    if total {
        page["total"] = queries::records::total_json(search.count(&mut snapshot).await?);
    }
    Ok(Json(page).into_response())
}

/// How a list is answered.
enum Form {
    Page { total: bool },
    File(FileForm),
}

/// What the address asks for, and where it says so, in which form.
fn read_query(module: &Module, query: Query) -> Result<(RecordQuery, Option<Form>), Error> {
    let narrowing: Vec<&str> =
        module.fields.iter().filter(|field| !field.choices.is_empty()).map(|field| &*field.name).collect();
    let sort: Sort = query.parse("sort")?.unwrap_or_default();
    if sort == Sort::Amount && module.amount_field.is_none() {
        return Err(Error::parameter("sort", format!("{} have no amount", module.name)));
    }
    let asked = RecordQuery {
        status: query.get("status").map(ToOwned::to_owned),
        q: query.get("q").filter(|text| !text.trim().is_empty()).map(ToOwned::to_owned),
        assignee: query.parse("assignee")?,
        from: query.parse("from")?,
        to: query.parse("to")?,
        fields: narrowing
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), query.get(name)?.to_owned())))
            .collect(),
        sort,
        after: query.get("after").map(ToOwned::to_owned),
        limit: query
            .number("limit", 1..=u64::from(RecordQuery::MOST_ROWS), DEFAULT_LIMIT)
            .map(|limit| u32::try_from(limit).unwrap_or(RecordQuery::MOST_ROWS))?,
    };
    queries::records::check(module, &asked)?;
    let total = match query.get("total") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => return Err(Error::parameter("total", "must be true or false")),
    };
    let form = match query.get("export") {
        Some(form) => Some(Form::File(FileForm::read(form)?)),
        None => total.then_some(Form::Page { total }),
    };
    Ok((asked, form))
}

async fn create(
    State(state): State<AppState>,
    caller: Caller,
    within: InModule,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(new): JsonBody<Map<String, Value>>,
) -> Result<Created<PositionedRecord>, Error> {
    let domain = within.domain()?;
    let done = commands::create_record(&state, &caller, domain, new, &origin).await?;
    let at = format!("/api/v1/{}/{}", domain.module().name, done.record.id);
    Ok(Created { at, body: answer(&caller, domain, done) })
}

fn answer(caller: &Caller, domain: &dyn Domain, done: commands::Done) -> PositionedRecord {
    let record = RecordJson::of(domain.module(), done.record, &caller.subject.permissions);
    PositionedRecord { record, position: done.position }
}

async fn read(
    State(state): State<AppState>,
    caller: Caller,
    within: InModule,
    Path(id): Path<String>,
) -> Result<Json<PositionedRecord>, Error> {
    let module = within.domain()?.module();
    caller.require(&module.read)?;
    let id = read_id(module, &id)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let record = queries::records::find(&mut snapshot, &caller, module, id).await?;
    let position = read_head(&mut snapshot, caller.project()).await?.last;
    let record = RecordJson::of(module, record, &caller.subject.permissions);
    Ok(Json(PositionedRecord { record, position }))
}

async fn make_move(
    State(state): State<AppState>,
    caller: Caller,
    within: InModule,
    Path(id): Path<String>,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(body): JsonBody<Map<String, Value>>,
) -> Result<Json<PositionedRecord>, Error> {
    let domain = within.domain()?;
    let id = read_id(domain.module(), &id)?;
    let done = move_by_body(&state, &caller, domain, id, body, &origin).await?;
    Ok(Json(answer(&caller, domain, done)))
}

/// Carries out `{move, expectedVersion, …}`: a move of the module's table, or `assign`.
///
/// # Errors
/// As of the commands; 422 that names the field.
pub async fn move_by_body(
    state: &AppState,
    caller: &Caller,
    domain: &dyn Domain,
    id: Uuid,
    mut body: Map<String, Value>,
    origin: &crate::commands::Origin,
) -> Result<commands::Done, Error> {
    let version = take_version(&mut body)?;
    let known = || domain.module().moves.iter().map(|rule| &*rule.name).collect::<Vec<_>>().join(", ");
    match body.get("move") {
        Some(Value::String(name)) if name == "assign" => {
            body.remove("move");
            let Assign { assignee } = serde_json::from_value(Value::Object(body))
                .map_err(|error| Error::field("assignee", error))?;
            commands::assign_record(state, caller, domain, id, assignee, version, origin).await
        }
        Some(Value::String(name)) if domain.module().rule(name).is_some() => {
            commands::move_record(state, caller, domain, id, body, version, origin).await
        }
        Some(_) => Err(Error::field("move", format!("is none of {}, assign", known()))),
        None => Err(Error::field("move", format!("is missing: give one of {}, assign", known()))),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Assign {
    assignee: Option<UserId>,
}

fn take_version(body: &mut Map<String, Value>) -> Result<i64, Error> {
    body.remove("expectedVersion")
        .ok_or_else(|| Error::field("expectedVersion", "is missing: give the `version` that you acted on"))?
        .as_i64()
        .filter(|version| *version > 0)
        .ok_or_else(|| Error::field("expectedVersion", "must be a whole number of 1 or more"))
}

/// `{ids | query, move, …, dryRun?}`: one move for many records.
async fn move_many(
    State(state): State<AppState>,
    caller: Caller,
    within: InModule,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(mut body): JsonBody<Map<String, Value>>,
) -> Result<(StatusCode, Json<Value>), Error> {
    let domain = within.domain()?;
    let selection = take_selection(domain.module(), &mut body)?;
    let dry_run = match body.remove("dryRun") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => return Err(Error::field("dryRun", "must be true or false")),
    };
    if dry_run {
        let name = body.get("move").and_then(Value::as_str).unwrap_or_default();
        let commands::BulkImpact { can, of } =
            commands::bulk_count(&state, &caller, domain, &selection, name).await?;
        return Ok((StatusCode::OK, Json(json!({ "count": can, "of": of }))));
    }
    let bulk = commands::bulk_move(&state, &caller, domain, &selection, body, &origin).await?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "automationId": bulk.automation, "count": bulk.count }))))
}

fn take_selection(module: &Module, body: &mut Map<String, Value>) -> Result<commands::Selection, Error> {
    match (body.remove("ids"), body.remove("query")) {
        (Some(ids), None) => {
            let ids: Vec<RecordId> =
                serde_json::from_value(ids).map_err(|error| Error::field("ids", error))?;
            if let Some(other) = ids.iter().find(|id| id.prefix() != module.prefix) {
                return Err(Error::field("ids", format!("{other} is no {}", module.one)));
            }
            Ok(commands::Selection::Ids(ids.iter().map(RecordId::uuid).collect()))
        }
        (None, Some(query)) => {
            let query = serde_json::from_value(query).map_err(|error| Error::field("query", error))?;
            Ok(commands::Selection::Query(Box::new(query)))
        }
        _ => Err(Error::field("ids", "give either ids or a query")),
    }
}

async fn comments(
    State(state): State<AppState>,
    caller: Caller,
    within: InModule,
    Path(id): Path<String>,
) -> Result<Json<Value>, Error> {
    let module = within.domain()?.module();
    caller.require(&module.read)?;
    let id = read_id(module, &id)?;
    let mut snapshot = db::begin_snapshot(&state.pool, caller.project()).await?;
    let record = queries::records::find(&mut snapshot, &caller, module, id).await?;
    let comments = db::comments::of_record(&mut snapshot, &caller.subject, &record.id).await?;
    Ok(Json(json!({ "comments": comments })))
}

/// A comment.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewComment {
    text: String,
}

async fn comment(
    State(state): State<AppState>,
    caller: Caller,
    within: InModule,
    Path(id): Path<String>,
    ReadOrigin(origin): ReadOrigin,
    JsonBody(new): JsonBody<NewComment>,
) -> Result<Created<Value>, Error> {
    let domain = within.domain()?;
    let id = read_id(domain.module(), &id)?;
    let comment = commands::comment_on_record(&state, &caller, domain, id, &new.text, &origin).await?;
    let module = domain.module();
    let record = RecordId::new(module.prefix.clone(), id);
    // It has no address of its own: it is in the list.
    let at = format!("/api/v1/{}/{record}/comments#{comment}", module.name);
    Ok(Created { at, body: json!({ "id": comment }) })
}

/// The id of one of the module's records.
///
/// # Errors
/// 404: a malformed id names nothing, as an unknown one.
pub fn read_id(module: &Module, text: &str) -> Result<Uuid, Error> {
    let one = &module.one;
    let id: RecordId =
        text.parse().map_err(|error| Error::NotFound(format!("{one} `{text}`: an id {error}")))?;
    if id.prefix() != module.prefix {
        let prefix = &module.prefix;
        return Err(Error::NotFound(format!("{one} `{text}`: its id would begin with `{prefix}_`")));
    }
    Ok(id.uuid())
}
