//! Records of all modules.

use std::collections::BTreeMap;

use leptos::prelude::*;
use leptos::server_fn::codec::GetUrl;
use tidewatch_modules::{Record, RecordQuery};

use super::text::JsonText;
#[cfg(feature = "ssr")]
use crate::backend::Many;
use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::model::BulkAsked;
use crate::model::{
    BulkAnswer, BulkImpact, DeliveryProof, MoveRequest, RecordCharts, RecordDetail, RecordPage, Snapshot,
};

/// A page of a module's records.
#[server(prefix = "/fn", endpoint = "list_records", input = GetUrl, output = JsonText)]
pub async fn list_records(
    project: String,
    module: String,
    query: RecordQuery,
) -> Result<Snapshot<RecordPage>, AppError> {
    crate::backend::use_backend()?.in_project(&project).list_records(&module, query).await
}

/// What a module's charts show.
#[server(prefix = "/fn", endpoint = "get_record_charts", input = GetUrl, output = JsonText)]
pub async fn get_record_charts(project: String, module: String) -> Result<Snapshot<RecordCharts>, AppError> {
    crate::backend::use_backend()?.in_project(&project).record_charts(&module).await
}

/// One record.
#[server(prefix = "/fn", endpoint = "get_record", input = GetUrl, output = JsonText)]
pub async fn get_record(
    project: String,
    module: String,
    id: String,
) -> Result<Snapshot<RecordDetail>, AppError> {
    crate::backend::use_backend()?.in_project(&project).get_record(&module, &id).await
}

/// To whom the latest events of a record were given, when, and who has acknowledged them; newest first.
#[server(prefix = "/fn", endpoint = "get_record_deliveries", input = GetUrl, output = JsonText)]
pub async fn get_record_deliveries(
    project: String,
    module: String,
    id: String,
) -> Result<Vec<DeliveryProof>, AppError> {
    crate::backend::use_backend()?.in_project(&project).record_deliveries(&module, &id).await
}

/// Makes a record.
#[server(prefix = "/fn", endpoint = "create_record", output = JsonText)]
pub async fn create_record(
    project: String,
    module: String,
    new: BTreeMap<String, String>,
) -> Result<Record, AppError> {
    crate::backend::use_backend()?.in_project(&project).create_record(&module, new).await
}

/// Makes a move.
#[server(prefix = "/fn", endpoint = "move_record", output = JsonText)]
pub async fn move_record(
    project: String,
    module: String,
    id: String,
    request: MoveRequest,
) -> Result<Record, AppError> {
    crate::backend::use_backend()?.in_project(&project).move_record(&module, &id, request).await
}

/// Makes one move for many records: those with these ids, or all that the list of `query` (as JSON) shows. Where it is
/// not `confirmed`, nothing is moved and the answer says for how many it would be.
#[server(prefix = "/fn", endpoint = "move_records", output = JsonText)]
pub async fn move_records(
    project: String,
    module: String,
    r#move: String,
    query: String,
    #[server(default)] ids: Vec<String>,
    #[server(default)] all: bool,
    #[server(default)] fields: BTreeMap<String, String>,
    #[server(default)] confirmed: bool,
) -> Result<BulkAnswer, AppError> {
    let backend = crate::backend::use_backend()?.in_project(&project);
    let many = many_of(&query, ids.clone(), all)?;
    if !confirmed {
        let impact = backend.count_moves(&module, many, &r#move).await?;
        return Ok(BulkAnswer::Asked(BulkAsked { r#move, impact, ids, all, fields }));
    }
    backend.move_records(&module, many, &r#move, fields).await.map(BulkAnswer::Started)
}

/// For how many records a move could be made: as [`move_records`] would choose them.
#[server(prefix = "/fn", endpoint = "count_moves", output = JsonText)]
pub async fn count_moves(
    project: String,
    module: String,
    r#move: String,
    query: String,
    #[server(default)] ids: Vec<String>,
    #[server(default)] all: bool,
) -> Result<BulkImpact, AppError> {
    let many = many_of(&query, ids, all)?;
    crate::backend::use_backend()?.in_project(&project).count_moves(&module, many, &r#move).await
}

#[cfg(feature = "ssr")]
fn many_of(query: &str, ids: Vec<String>, all: bool) -> Result<Many, AppError> {
    if !all {
        return Ok(Many::Ids(ids));
    }
    let query = serde_json::from_str(query);
    query
        .map(Many::Query)
        .map_err(|error| AppError::Invalid { field: "query".to_owned(), message: error.to_string() })
}

/// Writes something about a record.
#[server(prefix = "/fn", endpoint = "comment_on_record", output = JsonText)]
pub async fn comment_on_record(
    project: String,
    module: String,
    id: String,
    text: String,
) -> Result<(), AppError> {
    crate::backend::use_backend()?.in_project(&project).comment_on_record(&module, &id, &text).await
}
